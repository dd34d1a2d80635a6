import { describe, it } from "vitest";
import { expectMistake, type Mistake } from "./mistake.ts";

const HTTP: readonly Mistake[] = [
  {
    name: "HTTP open to other machines",
    yaml: "http:\n  address: 0.0.0.0",
    line: 2,
    key: "http.address",
    message: "set http.tokens, http.basic or http.clients",
  },
  {
    name: "HTTP open on every IPv6 address",
    yaml: "http:\n  address: '::'",
    line: 2,
    key: "http.address",
    message: "set http.tokens",
  },
  {
    name: "a token without role",
    yaml: "http: { tokens: [{ name: a, token: x }] }",
    line: 1,
    key: "http.tokens[0].role",
    message: "is required",
  },
  {
    name: "an unknown role",
    yaml: "http: { tokens: [{ name: a, token: x, role: root }] }",
    line: 1,
    key: "http.tokens[0].role",
    message: "monitor, operator, admin",
  },
  {
    name: "a token of another API that is short enough to be guessed",
    yaml: "http:\n  compat:\n    djangoFreeradius: { token: fifteen-letters }",
    line: 3,
    key: "http.compat.djangoFreeradius.token",
    message: "must have at least 16 characters",
  },
  {
    name: "two organizations with one UUID",
    yaml: `http:
  compat:
    openwispRadius:
      organizations:
        - { name: a, uuid: 0e4f12b5-9a6d-4f2b-8a53-c1a0a2b1a3f7, token: 165f9a790787fc38e5cc }
        - { name: b, uuid: 0e4f12b5-9a6d-4f2b-8a53-c1a0a2b1a3f7, token: 265f9a790787fc38e5cc }`,
    line: 6,
    key: "http.compat.openwispRadius.organizations[1].uuid",
    message: "duplicate UUID",
  },
  {
    name: "a UUID that is none",
    yaml: "http: { compat: { openwispRadius: { organizations: [{ name: a, uuid: x, token: 165f9a790787fc38e5cc }] } } }",
    line: 1,
    key: "http.compat.openwispRadius.organizations[0].uuid",
    message: "must be a UUID",
  },
  {
    name: "an empty token",
    yaml: "http: { tokens: [{ name: a, token: '', role: admin }] }",
    line: 1,
    key: "http.tokens[0].token",
    message: "not be empty",
  },
  {
    name: "a token with a blank",
    yaml: "http: { tokens: [{ name: a, token: 'x y', role: admin }] }",
    line: 1,
    key: "http.tokens[0].token",
    message: "letters, digits",
  },
  {
    name: "duplicate token names",
    yaml: "http:\n  tokens:\n    - { name: a, token: x, role: admin }\n    - { name: a, token: y, role: admin }",
    line: 4,
    key: "http.tokens[1].name",
    message: "duplicate token name",
  },
  {
    name: "duplicate tokens",
    yaml: "http:\n  tokens:\n    - { name: a, token: x, role: admin }\n    - { name: b, token: x, role: monitor }",
    line: 4,
    key: "http.tokens[1].token",
    message: "duplicate token",
  },
  {
    name: "duplicate users",
    yaml: "http:\n  basic:\n    - { name: a, password: x, role: admin }\n    - { name: a, password: y, role: admin }",
    line: 4,
    key: "http.basic[1].name",
    message: "duplicate user",
  },
  {
    name: "a user with a colon",
    yaml: "http: { basic: [{ name: 'a:b', password: x, role: admin }] }",
    line: 1,
    key: "http.basic[0].name",
    message: "colon",
  },
  {
    name: "a public address without a scheme",
    yaml: "http:\n  publicUrl: hub.example.net",
    line: 2,
    key: "http.publicUrl",
    message: 'such as "https://hub.example.net"',
  },
  {
    name: "a bad caller network",
    yaml: "http: { clients: [10.0.0.0/40] }",
    line: 1,
    key: "http.clients[0].network",
    message: "must be a network",
  },
  {
    name: "a bad host",
    yaml: "http: { allowedHosts: ['a b'] }",
    line: 1,
    key: "http.allowedHosts[0]",
    message: "DNS name",
  },
  {
    name: "a head slower than the request",
    yaml: "http: { requestTimeout: 5s }",
    line: 1,
    key: "http.headerTimeout",
    message: "requestTimeout",
  },
];

describe("loadConfig() refuses: http", () => {
  it.each(HTTP)("$name", expectMistake);
});
