import { describe, expect, it } from "vitest";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import type { Outcome } from "../../../src/dynauth/outcome.ts";
import { ProxyMark } from "../../../src/dynauth/trigger-attributes.ts";
import { type NoRouteAnswer, type TriggerOptions, Triggers } from "../../../src/dynauth/triggers.ts";
import { HubError } from "../../../src/errors.ts";
import { type Attribute, firstInteger, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";
import {
  encodeRequest,
  encodeResponse,
  RADSEC_SECRET,
  SharedSecret,
  verifyResponse,
} from "../../../src/radius/authenticator.ts";
import { encodeExtended } from "../../../src/radius/extended.ts";
import { hideTunnelPassword, revealTunnelPassword } from "../../../src/radius/hidden.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { encodeVendorSpecific, VENDOR_FORMAT_DEFAULT } from "../../../src/radius/vendor.ts";
import type { LinkRecord } from "../../../src/registry/types.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import type { Link, Reply } from "../../../src/transport/link.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const DAC_SECRET = new SharedSecret("xyzzy5461-and-more");
const DAC = clientEntry({ name: "aaa", transport: "udp", mayTrigger: true, secret: DAC_SECRET });
const USER = textAttribute(1, "nemo@home.example");
const NAS = textAttribute(32, "nas-07");
const OPERATOR = textAttribute(126, "1visited.example");
const OPERATOR_NAS: Attribute = { type: 241, value: Buffer.from("08deadbeef", "hex") };
const STATES = ["a", "b", "c"].map((text) => textAttribute(33, text));
const MARK = new ProxyMark(Buffer.from("0123456789ab"));
/** A vendor whose types take two octets, as those of USR do four. */
const WIDE = 9_999;
const COMMON = { exchangeId: "x", attempts: [], mayHaveActed: false, durationMs: 1, nas: "nas-07" };
const REPLIED = {
  ...COMMON,
  linkId: "l",
  errorCause: undefined,
  protocolError: false,
  requestInitiated: false,
  roundTripMs: 1,
};

const ACK: Outcome = { ...REPLIED, kind: "ack", replyCode: 41, replyAttributes: [textAttribute(18, "bye")] };

function link(changes: Partial<Link> = {}, client: Partial<ClientEntry> = {}): Link {
  return { linkId: "l-1", kind: "tls", address: "192.0.2.1", client: clientEntry(client), ...changes } as Link;
}

interface Situation {
  readonly code?: number;
  readonly attributes?: readonly Attribute[];
  readonly client?: ClientEntry;
  readonly outcome?: Outcome | HubError;
  readonly options?: Partial<TriggerOptions>;
  readonly noRoute?: NoRouteAnswer;
}

/** What the DAC gets, and what was asked of Dynauth. */
async function trigger(situation: Situation): Promise<{ reply: Reply; asked: ExchangeRequest | undefined }> {
  const { code = 40, attributes = [USER, NAS], client = DAC, outcome = ACK, options, noRoute } = situation;
  let asked: ExchangeRequest | undefined;
  const record = { nasIdentifiers: new Set(["nas-07"]), nasAddresses: new Set(["10.0.0.7"]) };
  const triggers = new Triggers(
    {
      clock: new ManualClock(1_700_000_000_000),
      dynauth: {
        exchange: (request) => {
          asked = request;
          return outcome instanceof HubError ? Promise.reject(outcome) : Promise.resolve([outcome]);
        },
      },
      registry: { record: () => record as unknown as LinkRecord },
      mark: MARK,
      formatOf: (vendor) => (vendor === WIDE ? { typeBytes: 2, lengthBytes: 2 } : VENDOR_FORMAT_DEFAULT),
    },
    {
      timestampWindowMs: 300_000,
      requireEventTimestamp: false,
      realms: { ours: new Set(["visited.example"]), operatorNas: new Map([["deadbeef", { nasIdentifier: "nas-07" }]]) },
      ...options,
    },
  );
  const octets = encodeRequest(code, 9, attributes, Buffer.alloc(16), client.secret);
  const packet = decodePacket(octets);
  const origin = { address: "192.0.2.9" };
  const reply = await triggers.handle({
    packet,
    client,
    origin,
    signal: new AbortController().signal,
    ...(noRoute && { noRoute }),
  });
  // DP-26: signed for the DAC with its own secret, Identifier and Authenticator.
  if (reply.kind === "reply") {
    const answer = decodePacket(encodeResponse(packet, reply.code, reply.attributes, client.secret));
    expect(verifyResponse(answer, packet.authenticator, client.secret)).toBe("ok");
  }
  return { reply, asked };
}

function summary(reply: Reply): string {
  if (reply.kind === "discard") return "nothing";
  const cause = firstInteger(reply.attributes, 101);
  return cause === undefined ? `code ${reply.code}` : `code ${reply.code} cause ${cause}`;
}

const noRoute = (why: "unknown" | "offline" | "not-permitted"): Outcome => ({ ...COMMON, kind: "no-route", why });
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
const at = (seconds: number) => integerAttribute(55, 1_700_000_000 + seconds);
const reaching = (reach: ClientEntry["reach"]) => clientEntry({ ...DAC, reach });

describe("Triggers: situation at the hub -> answer to the DAC (CONFORMANCE section 18)", () => {
  it.each<Situation & { name: string; answer: string }>([
    { name: "DP-04 Event-Timestamp 301 s old", attributes: [USER, NAS, at(-301)], answer: "nothing" },
    { name: "DP-04 Event-Timestamp 301 s ahead", attributes: [USER, NAS, at(301)], answer: "nothing" },
    { name: "DP-04 Event-Timestamp 299 s old", attributes: [USER, NAS, at(-299)], answer: "code 41" },
    { name: "DP-04 Event-Timestamp 299 s ahead", attributes: [USER, NAS, at(299)], answer: "code 41" },
    {
      name: "DP-05 no Event-Timestamp where one is required",
      options: { requireEventTimestamp: true },
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
      name: "DP-09 DP-13 a user of a realm that is not its own",
      client: reaching({ realms: ["other.example"] }),
      answer: "code 42 cause 502",
    },
    { name: "DP-13 a user of its realm", client: reaching({ realms: ["home.example"] }), answer: "code 41" },
    {
      name: "DP-09 no user where it is limited to realms",
      client: reaching({ realms: ["home.example"] }),
      attributes: [NAS, textAttribute(44, "s")],
      answer: "code 42 cause 502",
    },
    {
      name: "DP-11 DP-13 Operator-Name of a realm that is not ours",
      attributes: [USER, textAttribute(126, "1else.example")],
      answer: "code 42 cause 502",
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
      name: "DP-14 Operator-NAS-Identifier that we know",
      attributes: [USER, OPERATOR, OPERATOR_NAS],
      answer: "code 41",
    },
    {
      name: "DP-14 Operator-NAS-Identifier that we do not know",
      attributes: [USER, OPERATOR, { type: 241, value: Buffer.from("0801", "hex") }],
      answer: "code 42 cause 403",
    },
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
      name: "no NAS and no session identification",
      attributes: [textAttribute(18, "hello")],
      answer: "code 42 cause 402",
    },
    {
      name: "only a user, and no session index",
      attributes: [USER],
      outcome: new HubError("ERR_INPUT", "names no NAS"),
      answer: "code 42 cause 502",
    },
    { name: "DP-12 NAS known, no link", outcome: noRoute("offline"), answer: "code 42 cause 502" },
    { name: "DP-14 NAS that nobody knows", outcome: noRoute("unknown"), answer: "code 42 cause 403" },
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
      name: "all Identifiers in flight, queue full",
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
      name: "DP-29 ICMP says that the router has no port 3799",
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

describe("Triggers: what is passed on", () => {
  const odd: Attribute[] = [
    textAttribute(25, "class"),
    { type: 200, value: Buffer.from([1]) },
    textAttribute(24, "state"),
    { type: 26, value: Buffer.from([1, 2]) },
  ];
  const everything = [USER, OPERATOR, ...odd, OPERATOR_NAS, NAS, ...STATES];

  it("DP-18 DP-25 PKT-05 to a NAS: octets and order are kept, unknown attributes too", async () => {
    const { asked } = await trigger({ attributes: everything });
    const sent = asked?.rewrite?.(asked.attributes, link());
    expect(sent).toEqual([USER, ...odd, NAS]);
    expect(asked?.proxied).toBe(true);
  });

  it("DP-15 DP-24 a NAS gets no Operator attributes and no Proxy-State", async () => {
    const { asked } = await trigger({ attributes: everything });
    const types = asked?.rewrite?.(asked.attributes, link()).map(({ type }) => type);
    expect(types).not.toContain(33);
    expect(types).not.toContain(126);
    expect(types).not.toContain(241);
  });

  it.each(["proxy", "hub"] as const)(
    "DP-17 DP-23 a %s gets Operator attributes and Proxy-States unchanged, our mark behind them",
    async (role) => {
      const { asked } = await trigger({ attributes: everything });
      expect(asked?.rewrite?.(asked.attributes, link({}, { role }))).toEqual([...everything, MARK.attribute]);
    },
  );

  it("CRY-15 CRY-16 what a CoA hides is hidden anew for the secret of the link", async () => {
    const zero = Buffer.alloc(16);
    const value = hideTunnelPassword({ tag: 1, password: Buffer.from("quarantine") }, 0x8001, DAC_SECRET, zero);
    const { asked } = await trigger({ code: 43, attributes: [USER, NAS, { type: 69, value }] });
    const sent = asked?.rewrite?.(asked.attributes, link()).find(({ type }) => type === 69);
    expect(revealTunnelPassword(sent?.value ?? zero, RADSEC_SECRET, zero)?.password.toString()).toBe("quarantine");
  });

  it("the Message-Authenticator of the DAC's hop is not passed on (DP-26)", async () => {
    const { asked } = await trigger({});
    expect(asked?.attributes.map(({ type }) => type)).toEqual([1, 32]);
  });

  it("filters remove and select attributes by place, and never the Proxy-States", async () => {
    const remove = await trigger({
      attributes: everything,
      client: clientEntry({ ...DAC, filter: { remove: [{ type: 25 }, { type: 200 }] } }),
    });
    expect(remove.asked?.attributes.map(({ type }) => type)).toEqual([1, 126, 24, 26, 241, 32, 33, 33, 33]);
    const select = await trigger({
      attributes: everything,
      client: clientEntry({ ...DAC, filter: { select: [{ type: 1 }, { type: 32 }] } }),
    });
    expect(select.asked?.attributes.map(({ type }) => type)).toEqual([1, 32, 33, 33, 33]);
  });

  it("filters read a vendor's attributes in its own format, and take a value in fragments as a whole", async () => {
    const wide = (type: number) =>
      encodeVendorSpecific(
        { vendor: WIDE, subAttributes: [{ type, value: Buffer.from("x") }] },
        { typeBytes: 2, lengthBytes: 2 },
      );
    const long = encodeExtended(245, 9, Buffer.alloc(600));
    const attributes = [USER, NAS, wide(258), ...long, wide(259), textAttribute(25, "class")];
    const asked = async (filter: ClientEntry["filter"]) =>
      (await trigger({ attributes, client: clientEntry({ ...DAC, filter }) })).asked?.attributes;
    const places = [
      { type: 26, vendor: WIDE, vendorType: 258 },
      { type: 245, extendedType: 9 },
    ];
    expect(long).toHaveLength(3);
    expect(await asked({ remove: places })).toEqual([USER, NAS, wide(259), textAttribute(25, "class")]);
    expect(await asked({ select: places })).toEqual([wide(258), ...long]);
  });

  it("DP-31 it never goes back to the link or the address it came from", async () => {
    const { asked } = await trigger({});
    expect(asked?.refuses?.(link({ kind: "udp", address: "192.0.2.9" }))).toBe(true);
    expect(asked?.refuses?.(link({ kind: "udp", address: "192.0.2.10" }))).toBe(false);
    expect(asked?.refuses?.(link({ kind: "tls", address: "192.0.2.9" }))).toBe(false);
  });

  it.each([
    [["nas-07"], false],
    [["nas-*"], false],
    [["10.0.0.7"], false],
    [["nas-08", "other*"], true],
  ])("DP-09 reach.nas %j: refused %s", async (nas, refused) => {
    const { asked } = await trigger({ client: reaching({ nas }) });
    expect(asked?.refuses?.(link())).toBe(refused);
  });
});
