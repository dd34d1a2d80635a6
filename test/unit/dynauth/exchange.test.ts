import { describe, expect, it } from "vitest";
import { runExchange } from "../../../src/dynauth/exchange.ts";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import { withNasIdentity } from "../../../src/dynauth/nas-identity.ts";
import type { ResolvedTarget } from "../../../src/dynauth/resolver.ts";
import { ProxyMark } from "../../../src/dynauth/trigger-attributes.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";
import { encodeResponse, RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import type { Link, LinkOutcome, LinkRequest } from "../../../src/transport/link.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const REQUEST: ExchangeRequest = {
  code: 40,
  target: { nasIdentifier: "nas-07" },
  attributes: [textAttribute(1, "nemo")],
  trigger: "test",
};
const MARK = new ProxyMark(Buffer.alloc(12, 7));
const TIMES = { timeoutMs: 10_000, timeoutUdpMs: 30_000 };
const NAS_IDENTITY = [textAttribute(32, "nas-07")];

function reply(code: number, attributes: readonly Attribute[] = []): LinkOutcome {
  const octets = encodeResponse({ identifier: 1, authenticator: Buffer.alloc(16) }, code, attributes, RADSEC_SECRET);
  return { kind: "reply", reply: decodePacket(octets), roundTripMs: 3 };
}

const CLOSED_WRITTEN: LinkOutcome = { kind: "closed", written: true, reason: "transport-error" };
const CLOSED_UNWRITTEN: LinkOutcome = { kind: "closed", written: false, reason: "transport-error" };

/** A NAS with one link for each outcome in the list, over TLS unless `kinds` says otherwise. */
async function run(outcomes: readonly LinkOutcome[], request = REQUEST, kinds: readonly Link["kind"][] = []) {
  const sent: LinkRequest[] = [];
  const clock = new ManualClock();
  const links = outcomes.map(
    (outcome, index) =>
      ({
        linkId: `link-${index}`,
        kind: kinds[index] ?? "tls",
        send: (each: LinkRequest) => {
          sent.push(each);
          clock.advance(10);
          return Promise.resolve(outcome);
        },
      }) as Link,
  );
  const target: ResolvedTarget = {
    nas: "nas-07",
    identify: (attributes) => withNasIdentity(attributes, () => NAS_IDENTITY),
    pick: (tried) => links.find(({ linkId }) => !tried.has(linkId)),
  };
  const [outcome] = await runExchange("x-1", request, target, TIMES, { clock, mark: MARK }, () => undefined);
  return { outcome, sent };
}

describe("runExchange()", () => {
  it("says how long each link took, and all of them", async () => {
    const { outcome } = await run([CLOSED_UNWRITTEN, reply(41)]);
    expect(outcome).toMatchObject({ durationMs: 20, attempts: [{ tookMs: 10 }, { tookMs: 10 }] });
  });

  it.each<{ name: string; links: LinkOutcome[]; expected: object; sent: number }>([
    { name: "ACK", links: [reply(41)], expected: { kind: "ack", replyCode: 41, mayHaveActed: false }, sent: 1 },
    {
      name: "NAK 503",
      links: [reply(42, [integerAttribute(101, 503)])],
      expected: { kind: "nak", errorCause: 503, mayHaveActed: false },
      sent: 1,
    },
    {
      name: "RC-17 a NAK with a 2xx Error-Cause is a NAK",
      links: [reply(42, [integerAttribute(101, 201)])],
      expected: { kind: "nak", errorCause: 201 },
      sent: 1,
    },
    {
      name: "RC-21 an ACK with Error-Cause 201 is an ACK",
      links: [reply(41, [integerAttribute(101, 201)])],
      expected: { kind: "ack", errorCause: 201 },
      sent: 1,
    },
    {
      name: "RC-18 RC-19 Protocol-Error 406",
      links: [reply(52, [integerAttribute(101, 406)])],
      expected: { kind: "nak", protocolError: true, errorCause: 406 },
      sent: 1,
    },
    {
      name: "RC-19 silence",
      links: [{ kind: "timeout" }, reply(41)],
      expected: { kind: "timeout", mayHaveActed: true },
      sent: 1,
    },
    { name: "no link", links: [], expected: { kind: "no-route", why: "offline", mayHaveActed: false }, sent: 0 },
    {
      name: "unwritten, moved as often as there are links",
      links: [CLOSED_UNWRITTEN, CLOSED_UNWRITTEN, reply(41)],
      expected: { kind: "ack" },
      sent: 3,
    },
    {
      name: "CON-08 CON-09 written, moved once after its link closed",
      links: [CLOSED_WRITTEN, reply(41)],
      expected: { kind: "ack", mayHaveActed: false },
      sent: 2,
    },
    {
      name: "a NAK after a move may be the echo of the first copy",
      links: [CLOSED_WRITTEN, reply(42)],
      expected: { kind: "nak", mayHaveActed: true },
      sent: 2,
    },
    {
      name: "written twice and both links closed",
      links: [CLOSED_WRITTEN, CLOSED_WRITTEN, reply(41)],
      expected: { kind: "closed", why: "transport-error", written: true, mayHaveActed: true },
      sent: 2,
    },
    {
      name: "the only link closed after writing",
      links: [CLOSED_WRITTEN],
      expected: { kind: "closed", written: true, mayHaveActed: true },
      sent: 1,
    },
    {
      name: "the only link closed before writing",
      links: [CLOSED_UNWRITTEN],
      expected: { kind: "closed", why: "transport-error", written: false, mayHaveActed: false },
      sent: 1,
    },
    {
      name: "a full queue, next link free",
      links: [{ kind: "busy", why: "queue-full" }, reply(41)],
      expected: { kind: "ack" },
      sent: 2,
    },
    {
      name: "every queue full",
      links: [{ kind: "busy", why: "queue-full" }],
      expected: { kind: "busy", why: "queue-full" },
      sent: 1,
    },
    {
      name: "never written by its deadline",
      links: [{ kind: "busy", why: "deadline" }, reply(41)],
      expected: { kind: "busy", why: "deadline", mayHaveActed: false },
      sent: 1,
    },
    {
      name: "the caller went away",
      links: [{ kind: "aborted", written: true }],
      expected: { kind: "closed", why: "abandoned", written: true, mayHaveActed: true },
      sent: 1,
    },
  ])("$name", async ({ links, expected, sent }) => {
    const result = await run(links);
    expect(result.outcome).toMatchObject(expected);
    expect(result.sent).toHaveLength(sent);
    expect(result.outcome.attempts).toHaveLength(sent);
  });

  it("RC-12 CoA-NAK 507 to an Authorize-Only request is no failure, to any other request it is one", async () => {
    const nak507 = reply(45, [integerAttribute(101, 507)]);
    const authorizeOnly = [...REQUEST.attributes, integerAttribute(6, 17), textAttribute(24, "state")];
    const asked = await run([nak507], { ...REQUEST, code: 43, attributes: authorizeOnly });
    expect(asked.outcome).toMatchObject({ kind: "nak", errorCause: 507, requestInitiated: true });
    const other = await run([nak507], { ...REQUEST, code: 43 });
    expect(other.outcome).toMatchObject({ kind: "nak", requestInitiated: false });
    const disconnect = await run([reply(42, [integerAttribute(101, 507)])], { ...REQUEST, attributes: authorizeOnly });
    expect(disconnect.outcome).toMatchObject({ kind: "nak", requestInitiated: false });
  });

  it("RC-08 RC-14 adds the NAS identity that was learnt and Event-Timestamp, and nothing else", async () => {
    const { sent } = await run([reply(41)]);
    expect(sent[0]?.attributes).toEqual([...REQUEST.attributes, ...NAS_IDENTITY, integerAttribute(55, 1_700_000_000)]);
  });

  it("adds no NAS identity to a request that names the NAS itself", async () => {
    const named = [...REQUEST.attributes, integerAttribute(4, 0x0a_00_00_01)];
    const { sent } = await run([reply(41)], { ...REQUEST, attributes: named });
    expect(sent[0]?.attributes.map(({ type }) => type)).toEqual([1, 4, 55]);
  });

  it("CON-10 UC-04 a request that moves keeps its deadline and its Event-Timestamp", async () => {
    const { sent } = await run([CLOSED_WRITTEN, reply(41)]);
    expect(sent[1]).toBe(sent[0]);
    expect(sent[0]?.deadline).toBe(10_000);
  });

  it("UC-02 CON-10 a router over UDP has the time of its retransmissions, one that was asked over TLS first has not", async () => {
    const kinds = ["udp", "tls", "udp"] as const;
    expect((await run([reply(41)], REQUEST, kinds)).sent[0]?.deadline).toBe(30_000);
    const moved = await run([CLOSED_WRITTEN, reply(41)], REQUEST, kinds.slice(1));
    expect(moved.sent[1]?.deadline).toBe(10_000);
  });

  it("DP-24 DP-31 what the hub asks by itself carries its mark to a proxy or hub, behind what is there, and none to a router", async () => {
    const rewrite = (await run([reply(41)])).sent[0]?.rewrite;
    const to = (role: "nas" | "proxy" | "hub") =>
      rewrite?.(REQUEST.attributes, new FakeLink({ linkId: "l", client: clientEntry({ role }) }));
    expect(to("nas")).toEqual(REQUEST.attributes);
    expect(to("proxy")).toEqual([...REQUEST.attributes, MARK.attribute]);
    expect(to("hub")).toEqual(to("proxy"));
  });

  it("keeps what the reply says, not the buffer that it lies in", async () => {
    const answer = reply(42, [integerAttribute(101, 503)]);
    const { outcome } = await run([answer]);
    if (answer.kind === "reply") for (const { value } of answer.reply.attributes) value.fill(0);
    expect(outcome).toMatchObject({ replyAttributes: [integerAttribute(101, 503)] });
  });

  it("DP-23 a Proxy-State that comes back stays here, and so does the Message-Authenticator", async () => {
    const { outcome } = await run([reply(42, [integerAttribute(101, 503), MARK.attribute])]);
    expect(outcome).toMatchObject({ replyAttributes: [integerAttribute(101, 503)] });
  });
});
