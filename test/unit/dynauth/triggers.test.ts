import { describe, expect, it } from "vitest";
import type { NoRoute, Outcome } from "../../../src/dynauth/outcome.ts";
import { HubError } from "../../../src/errors.ts";
import { type Attribute, firstInteger, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";
import type { Reply } from "../../../src/transport/link.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import {
  COMMON,
  DAC,
  MARK,
  NAS,
  OPERATOR,
  OPERATOR_NAS,
  REALMS,
  REPLIED,
  reaching,
  type Situation,
  STATES,
  trigger,
  USER,
} from "./trigger-situation.ts";

function summary(reply: Reply): string {
  if (reply.kind === "discard") return "nothing";
  const cause = firstInteger(reply.attributes, 101);
  return cause === undefined ? `code ${reply.code}` : `code ${reply.code} cause ${cause}`;
}

const noRoute = (why: NoRoute["why"]): Outcome => ({ ...COMMON, kind: "no-route", why });
const protocolError = (errorCause: number): Outcome => ({
  ...REPLIED,
  kind: "nak",
  replyCode: 52,
  replyAttributes: [],
  protocolError: true,
  errorCause,
});
const nakOf = (errorCause: number): Outcome => ({
  ...REPLIED,
  kind: "nak",
  replyCode: 42,
  replyAttributes: [integerAttribute(101, errorCause)],
  errorCause,
});
const operatorNas = (value: Buffer): Attribute => ({ type: 241, value: Buffer.concat([Buffer.of(8), value]) });
/** A UDP port judges Event-Timestamp itself. */
const LINK = new FakeLink({ linkId: "dac" });
const at = (seconds: number) => integerAttribute(55, 1_700_000_000 + seconds);

describe("Triggers: situation at the hub -> answer to the DAC (CONFORMANCE section 18)", () => {
  it.each<Situation & { name: string; answer: string }>([
    { name: "DP-04 Event-Timestamp 301 s old", attributes: [USER, NAS, at(-301)], link: LINK, answer: "nothing" },
    { name: "DP-04 Event-Timestamp 301 s ahead", attributes: [USER, NAS, at(301)], link: LINK, answer: "nothing" },
    { name: "DP-04 Event-Timestamp 299 s old", attributes: [USER, NAS, at(-299)], link: LINK, answer: "code 41" },
    { name: "DP-04 Event-Timestamp 299 s ahead", attributes: [USER, NAS, at(299)], link: LINK, answer: "code 41" },
    {
      name: "DP-05 no Event-Timestamp where one is required",
      options: { requireEventTimestamp: true },
      link: LINK,
      answer: "nothing",
    },
    {
      name: "DP-09 a peer that is no DAC",
      client: clientEntry({ ...DAC, mayTrigger: false }),
      answer: "code 42 cause 502",
    },
    {
      name: "DP-09 a code that it may not send",
      client: reaching({ codes: new Set([43]) }),
      answer: "code 42 cause 502",
    },
    {
      name: "DP-09 DP-13 authenticated DAC, not allowed for this realm/session",
      client: reaching({ realms: ["other.example"] }),
      answer: "code 42 cause 502",
    },
    { name: "DP-13 a user of its realm", client: reaching({ realms: ["home.example"] }), answer: "code 41" },
    {
      name: "DP-13 a realm is what follows the last @, whatever its case",
      client: reaching({ realms: ["home.example"] }),
      attributes: [textAttribute(1, "nemo@else.example@HOME.example"), NAS],
      answer: "code 41",
    },
    {
      name: "DP-09 no user where it is limited to realms",
      client: reaching({ realms: ["home.example"] }),
      attributes: [NAS, textAttribute(44, "s")],
      answer: "code 42 cause 502",
    },
    ...["nemo@other.example", ""].map((second) => ({
      name: `DP-09 DP-13 a user of its realm, and behind that "${second}", whom the NAS might take instead`,
      client: reaching({ realms: ["home.example"] }),
      attributes: [USER, NAS, textAttribute(1, second)],
      answer: "code 42 cause 502",
    })),
    {
      name: "DP-11 DP-13 realm unknown, or not ours, or no Operator-Name at a pure realm proxy",
      attributes: [USER, textAttribute(126, "1else.example")],
      answer: "code 42 cause 502",
    },
    {
      name: "DP-11 no Operator-Name at a pure realm proxy, though the NAS is known",
      options: { realms: { ...REALMS, required: true } },
      answer: "code 42 cause 502",
    },
    {
      name: "DP-11 Operator-Name of our realm at a pure realm proxy",
      attributes: [USER, NAS, OPERATOR],
      options: { realms: { ...REALMS, required: true } },
      answer: "code 41",
    },
    {
      name: "DP-11 Operator-Name of another namespace",
      attributes: [USER, textAttribute(126, "0visited.example")],
      answer: "code 42 cause 502",
    },
    {
      name: "DP-10 Operator-Name of our realm counts, whatever the realm of User-Name",
      attributes: [USER, NAS, OPERATOR],
      answer: "code 41",
    },
    {
      name: "DP-13 Operator-Name of our realm in capital letters",
      attributes: [USER, NAS, textAttribute(126, "1VISITED.example")],
      answer: "code 41",
    },
    {
      name: "DP-21 an empty Operator-NAS-Identifier is no attribute",
      attributes: [USER, NAS, OPERATOR, operatorNas(Buffer.alloc(0))],
      answer: "code 41",
    },
    {
      name: "PKT-07 a NAS-IP-Address of three octets is no address",
      attributes: [USER, NAS, { type: 4, value: Buffer.alloc(3) }],
      answer: "code 41",
    },
    {
      name: "DP-28 one of several acct sessions has not ended",
      outcome: [{ ...REPLIED, kind: "ack", replyCode: 41, replyAttributes: [] }, nakOf(503)],
      answer: "code 42 cause 503",
    },
    {
      name: "DP-14 Operator-NAS-Identifier that we know",
      attributes: [USER, OPERATOR, OPERATOR_NAS],
      answer: "code 41",
    },
    {
      name: "DP-14 Operator-NAS-Identifier / NAS not known here",
      attributes: [USER, OPERATOR, { type: 241, value: Buffer.from("0801", "hex") }],
      answer: "code 42 cause 403",
    },
    ...[1, 32].map((octets) => ({
      name: `DP-21 Operator-NAS-Identifier of ${octets} octets that we know`,
      attributes: [USER, OPERATOR, operatorNas(Buffer.alloc(octets, 0xab))],
      options: {
        realms: { ...REALMS, operatorNas: new Map([["ab".repeat(octets), { nasIdentifier: "nas-07" }]]) },
      },
      answer: "code 41",
    })),
    {
      name: "DP-20 Operator-NAS-Identifier without Operator-Name is no attribute",
      attributes: [USER, NAS, { type: 241, value: Buffer.from("0801", "hex") }],
      answer: "code 41",
    },
    {
      name: "DP-20 a second Operator-Name is no attribute",
      attributes: [USER, NAS, OPERATOR, textAttribute(126, "1else.example")],
      answer: "code 41",
    },
    {
      name: "DP-20 a second Operator-NAS-Identifier is no attribute",
      attributes: [USER, OPERATOR, OPERATOR_NAS, { type: 241, value: Buffer.from("0801", "hex") }],
      answer: "code 41",
    },
    {
      name: "no NAS or session identification at all",
      attributes: [textAttribute(18, "hello")],
      answer: "code 42 cause 402",
    },
    {
      name: "only a user, and no session index",
      attributes: [USER],
      outcome: new HubError("ERR_INPUT", "names no NAS"),
      answer: "code 42 cause 502",
    },
    {
      name: "DP-18 Service-Type or other forbidden attribute in Disconnect-Request, if the hub chooses to check",
      attributes: [USER, NAS, integerAttribute(6, 2)],
      answer: "code 41",
    },
    { name: "DP-12 NAS known, no usable connection", outcome: noRoute("offline"), answer: "code 42 cause 502" },
    { name: "DP-14 NAS that nobody knows", outcome: noRoute("unknown"), answer: "code 42 cause 403" },
    {
      name: "DP-30 session records say otherwise",
      outcome: noRoute("no-session"),
      answer: "code 42 cause 503",
    },
    { name: "DP-16 nobody says what the NAS is called", outcome: noRoute("nas-unnamed"), answer: "code 42 cause 402" },
    { name: "IDX-01 NAS that takes no such code", outcome: noRoute("not-permitted"), answer: "code 42 cause 502" },
    { name: "DP-12 the same for CoA", code: 43, outcome: noRoute("offline"), answer: "code 45 cause 502" },
    { name: "no route for another code", code: 1, outcome: noRoute("offline"), answer: "nothing" },
    {
      name: "no route, silence configured",
      outcome: noRoute("offline"),
      noRoute: { answer: "silence" },
      answer: "nothing",
    },
    {
      name: "no route, Access-Reject configured",
      outcome: noRoute("offline"),
      noRoute: { answer: "access-reject" },
      answer: "code 3",
    },
    {
      name: "no route, another Error-Cause configured",
      outcome: noRoute("unknown"),
      noRoute: { answer: "nak", errorCause: 501 },
      answer: "code 42 cause 501",
    },
    {
      name: "a name that several peers share",
      outcome: new HubError("ERR_AMBIGUOUS", "two"),
      answer: "code 42 cause 502",
    },
    {
      name: "PKT-11 two State attributes",
      outcome: new HubError("ERR_RADIUS_ATTRIBUTE", "two"),
      answer: "code 42 cause 404",
    },
    {
      name: "all IDs in flight, queue full",
      outcome: { ...COMMON, kind: "busy", why: "queue-full" },
      answer: "code 42 cause 506",
    },
    { name: "RC-18 DP-27 Protocol-Error 406", outcome: protocolError(406), answer: "code 42 cause 406" },
    { name: "RC-18 DP-27 Protocol-Error 502", outcome: protocolError(502), answer: "code 42 cause 502" },
    {
      name: "RC-18 DP-27 PE-03 Protocol-Error with another cause",
      outcome: protocolError(601),
      answer: "code 42 cause 505",
    },
    {
      name: "DP-32 NAS silent",
      outcome: { ...COMMON, kind: "timeout", linkId: "l", mayHaveActed: true },
      answer: "nothing",
    },
    {
      name: "DP-28 the link closed before the request was written",
      outcome: { ...COMMON, kind: "closed", written: false },
      answer: "code 42 cause 502",
    },
    {
      name: "DP-29 NAS answered Protocol-Error, or ICMP unreachable",
      outcome: { ...COMMON, kind: "closed", written: false, why: "port-unreachable" },
      answer: "code 42 cause 406",
    },
    {
      name: "DP-12 no way leads to the router",
      outcome: { ...COMMON, kind: "closed", written: false, why: "unreachable" },
      answer: "code 42 cause 502",
    },
    {
      name: "DP-28 ICMP for a later copy: the router may have acted",
      outcome: { ...COMMON, kind: "closed", written: true, why: "port-unreachable", mayHaveActed: true },
      answer: "nothing",
    },
    {
      name: "DP-28 the link closed after it was written",
      outcome: { ...COMMON, kind: "closed", written: true, mayHaveActed: true },
      answer: "nothing",
    },
    { name: "NAS answered ACK", answer: "code 41" },
    { name: "NAS answered NAK 503", outcome: nakOf(503), answer: "code 42 cause 503" },
    {
      name: "DP-31 a request that carries our own mark",
      attributes: [USER, NAS, MARK.attribute],
      answer: "code 42 cause 502",
    },
    {
      name: "DP-31 a request that has come through more proxies than it may",
      options: { hopsMax: 2 },
      attributes: [USER, NAS, ...STATES],
      answer: "code 42 cause 502",
    },
    {
      name: "DP-31 a request that has come through as many proxies as it may",
      options: { hopsMax: 3 },
      attributes: [USER, NAS, ...STATES],
      answer: "code 41",
    },
    { name: "the hub is stopping", outcome: new HubError("ERR_STOPPED", "stopping"), answer: "nothing" },
  ])("$name: $answer", async ({ answer, ...situation }) => {
    expect(summary((await trigger(situation)).reply)).toBe(answer);
  });

  it.each<Situation & { name: string }>([
    { name: "ACK" },
    { name: "NAK of the hub", outcome: noRoute("offline") },
    { name: "NAK of the NAS", outcome: nakOf(503) },
  ])("DP-22 UL-15 every Proxy-State of the DAC comes back, unchanged and in order: $name", async (situation) => {
    const { reply } = await trigger({
      ...situation,
      attributes: [USER, STATES[0] as Attribute, NAS, ...STATES.slice(1)],
    });
    if (reply.kind !== "reply") throw new Error("no reply");
    expect(reply.attributes.filter(({ type }) => type === 33)).toEqual(STATES);
  });
});
