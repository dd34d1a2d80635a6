import { describe, expect, it } from "vitest";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import type { ResolvedTarget } from "../../../src/dynauth/resolver.ts";
import { SessionResolver } from "../../../src/dynauth/session-resolver.ts";
import { EventFeed } from "../../../src/events.ts";
import { ATTRIBUTE, type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { Registry } from "../../../src/registry/registry.ts";
import type { AcctSession } from "../../../src/store/acct-session.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const ASKED: ExchangeRequest = {
  code: CODE.disconnectRequest,
  target: {},
  attributes: [textAttribute(ATTRIBUTE.userName, "nemo")],
  trigger: "test",
};

type Links = readonly { readonly linkId: string; readonly client?: Partial<ClientEntry>; readonly name?: string }[];

/** The link that is taken. */
async function picked(links: Links, request: Partial<ExchangeRequest> = {}): Promise<string | undefined> {
  return (await resolved(links, request))?.pick(new Set())?.linkId;
}

/** One open acct session of nemo at nas-1, heard from the peer "below", whose links a test opens. */
async function resolved(links: Links, request: Partial<ExchangeRequest>): Promise<ResolvedTarget | undefined> {
  const registry = new Registry(
    { clock: new ManualClock(), events: new EventFeed(() => undefined) },
    { bindingLapseMs: 60_000, namesPerLinkMax: 10, bindingsMax: 10 },
  );
  for (const { linkId, client, name } of links) {
    const link = new FakeLink({ linkId, peerKey: "below", client: clientEntry(client) });
    registry.opened(link);
    if (name === undefined) continue;
    const identity = [textAttribute(ATTRIBUTE.nasIdentifier, name)];
    const octets = encodeRequest(CODE.statusServer, 0, identity, Buffer.alloc(16, 1), RADSEC_SECRET);
    registry.learnStatus(link, decodePacket(octets));
  }
  const facts = {
    nasIdentifier: "nas-1",
    linkId: "of an earlier run",
    peerKey: "below",
    operatorName: "1visited.example",
    operatorNasIdentifier: "00ff",
  };
  const acctSession = { key: "nas-1/1", acctSessionId: "1", username: "nemo", open: true, facts } as AcctSession;
  const acctSessions = {
    find: () => Promise.resolve({ items: [acctSession], next: undefined }),
    one: () => Promise.resolve(acctSession),
  };
  const named = { resolve: () => ({ kind: "no-route", why: "unknown", nas: undefined }) as const };
  const deps = { clock: new ManualClock(), acctSessions, registry, named };
  const resolution = await new SessionResolver(deps, { checkSessions: false }).resolve({ ...ASKED, ...request });
  registry.stop();
  return resolution.kind === "targets" ? resolution.targets[0] : undefined;
}

describe("SessionResolver", () => {
  it("takes a link of the peer that has named the NAS, one that has named nothing yet, never one that is another NAS (RC-20)", async () => {
    expect(
      await picked([
        { linkId: "other", name: "nas-2" },
        { linkId: "own", name: "nas-1" },
      ]),
    ).toBe("own");
    expect(await picked([{ linkId: "other", name: "nas-2" }, { linkId: "fresh" }])).toBe("fresh");
    expect(await picked([{ linkId: "other", name: "nas-2" }])).toBeUndefined();
  });

  it("takes any link of the hub that the accounting came from: it knows where the NAS is", async () => {
    expect(await picked([{ linkId: "hub", client: { role: "hub" }, name: "hub-b" }])).toBe("hub");
  });

  it("DP-30 a user who is in one network is not found for a request about another", async () => {
    const of = (realm: string) => [...ASKED.attributes, textAttribute(ATTRIBUTE.operatorName, realm)];
    const links = [{ linkId: "own", name: "nas-1" }];
    expect(await picked(links, { attributes: of("1Visited.Example") })).toBe("own");
    expect(await picked(links, { attributes: of("1else.example") })).toBeUndefined();
  });

  const operator = [
    textAttribute(ATTRIBUTE.operatorName, "1visited.example"),
    { type: ATTRIBUTE.extended1, value: Buffer.of(8, 0, 255) },
  ];
  const own = textAttribute(ATTRIBUTE.operatorName, "1visited.EXAMPLE");
  it.each<readonly [string, Partial<ClientEntry>, Partial<ExchangeRequest>, readonly Attribute[]]>([
    ["of the hub to a proxy carries both as they are on record", { role: "proxy" }, {}, operator],
    ["of the hub to another hub does so too", { role: "hub" }, {}, operator],
    ["to a router carries neither", { role: "nas" }, {}, []],
    ["of a DAC is passed on as it is", { role: "proxy" }, { proxied: true }, []],
    ["that has an Operator-Name keeps it", { role: "proxy" }, { attributes: [...ASKED.attributes, own] }, [own]],
  ])("DP-21 DP-30 Operator attributes: a request %s", async (_, client, request, expected) => {
    const target = await resolved([{ linkId: "below", client }], request);
    const sent = target?.identify(request.attributes ?? ASKED.attributes) ?? [];
    const shown = sent.filter(({ type }) => type === ATTRIBUTE.operatorName || type === ATTRIBUTE.extended1);
    expect(shown).toEqual(expected);
  });

  it("DP-09 tells who judges the link which NAS is meant", async () => {
    const links = [{ linkId: "hub", client: { role: "hub" }, name: "hub-b" } as const];
    expect(await picked(links, { refuses: (_, { nasIdentifier }) => nasIdentifier === "nas-1" })).toBeUndefined();
    expect(await picked(links, { refuses: (_, { nasIdentifier }) => nasIdentifier !== "nas-1" })).toBe("hub");
  });
});
