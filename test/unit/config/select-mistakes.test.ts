import { describe, it } from "vitest";
import { expectMistake, type Mistake } from "./mistake.ts";

const rule = (match: string) => `dynauth:\n  select:\n    - match: { ${match} }`;
const SELECT: readonly Mistake[] = [
  {
    name: "a rule without match",
    yaml: "dynauth:\n  select:\n    - mode: first",
    line: 3,
    key: "dynauth.select[0].match",
    message: "is required",
  },
  { name: "an empty rule", yaml: rule(""), line: 3, key: "dynauth.select[0].match", message: "at least one key" },
  {
    name: "an unknown key",
    yaml: rule("nasIdentifer: x"),
    line: 3,
    key: "dynauth.select[0].match.nasIdentifer",
    message: 'mean "nasIdentifier"',
  },
  {
    name: "an unknown certificate key",
    yaml: rule("cert.san.cn: x"),
    line: 3,
    key: 'dynauth.select[0].match["cert.san.cn"]',
    message: "unknown key",
  },
  {
    name: "an unknown mode",
    yaml: `${rule("client: '/x/'")}\n      mode: random`,
    line: 4,
    key: "dynauth.select[0].mode",
    message: "round-robin",
  },
  {
    name: "an unknown rule key",
    yaml: `${rule("client: '/x/'")}\n      lookup: sessions`,
    line: 4,
    key: "dynauth.select[0].lookup",
    message: "unknown key",
  },
  {
    name: "a broken regex",
    yaml: rule("client: '/(/'"),
    line: 3,
    key: "dynauth.select[0].match.client[0]",
    message: "Unterminated group",
  },
  {
    name: "a regex with flag g",
    yaml: rule("client: '/x/g'"),
    line: 3,
    key: "dynauth.select[0].match.client[0]",
    message: "flags",
  },
  {
    name: "a regex that may explode",
    yaml: rule("client: '/(a+)+$/'"),
    line: 3,
    key: "dynauth.select[0].match.client[0]",
    message: "exponential",
  },
  {
    name: "an unknown template",
    yaml: rule("nasIdentifier: '%{foo}'"),
    line: 3,
    key: "dynauth.select[0].match.nasIdentifier[0]",
    message: "%{request.",
  },
  {
    name: "an open template",
    yaml: rule("nasIdentifier: '%{request.User-Name'"),
    line: 3,
    key: "dynauth.select[0].match.nasIdentifier[0]",
    message: "%{request.",
  },
  {
    name: "a bad network",
    yaml: rule("peerAddress: 10.0.0.0/33"),
    line: 3,
    key: "dynauth.select[0].match.peerAddress[0]",
    message: "must be a network",
  },
  {
    name: "a listener that does not exist",
    yaml: rule("server: other"),
    line: 3,
    key: "dynauth.select[0].match.server[0]",
    message: "no listener",
  },
  {
    name: "a client that does not exist",
    yaml: rule("client: other"),
    line: 3,
    key: "dynauth.select[0].match.client[0]",
    message: "no entry",
  },
];

describe("loadConfig() refuses: select rules", () => {
  it.each(SELECT)("$name", expectMistake);
});
