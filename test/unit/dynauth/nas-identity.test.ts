import { describe, expect, it } from "vitest";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import { RegistryResolver } from "../../../src/dynauth/registry-resolver.ts";
import type { Resolution } from "../../../src/dynauth/resolver.ts";
import { EventFeed } from "../../../src/events.ts";
import { ATTRIBUTE, type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { Registry } from "../../../src/registry/registry.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const USER = textAttribute(ATTRIBUTE.userName, "nemo");
const NAS_1 = textAttribute(ATTRIBUTE.nasIdentifier, "nas-1");
const NAS_2 = textAttribute(ATTRIBUTE.nasIdentifier, "nas-2");
const ADDRESS: Attribute = { type: ATTRIBUTE.nasIpAddress, value: Buffer.of(10, 0, 0, 7) };
const ADDRESS6: Attribute = {
  type: ATTRIBUTE.nasIpv6Address,
  value: Buffer.from(`20010db8${"0".repeat(22)}07`, "hex"),
};
const NAMED = clientEntry({ nasIdentifier: "edge-7", nasAddress: "10.0.0.7" });

interface Row {
  /** What each link of the peer has said of itself; the first is the one that a rule finds. */
  readonly said?: readonly (readonly Attribute[])[];
  /** What the first of them says next. */
  readonly later?: readonly Attribute[];
  /** What a link of the peer had said that has closed. */
  readonly earlier?: readonly Attribute[];
  readonly client?: ClientEntry;
  readonly kind?: "tls" | "udp";
  readonly fallback?: boolean;
  readonly request?: Partial<ExchangeRequest>;
}

/** A router that a select rule finds, whatever the request says, and a Disconnect of a DAC that names the user alone. */
function resolved({ said = [[]], later, earlier, client, kind = "tls", fallback, request }: Row): Resolution {
  const registry = new Registry(
    { clock: new ManualClock(), events: new EventFeed(() => undefined) },
    { bindingLapseMs: 60_000, namesPerLinkMax: 10, bindingsMax: 10 },
  );
  const open = (linkId: string, attributes: readonly Attribute[]): FakeLink => {
    const facts = { linkId, peerKey: "below", address: "192.0.2.7", ...(client && { client }) };
    const link = new FakeLink({ ...facts, ...(fallback !== undefined && { fallback }) });
    Object.assign(link, { kind });
    registry.opened(link);
    learn(link, attributes);
    return link;
  };
  const learn = (link: FakeLink, attributes: readonly Attribute[]): void => {
    const octets = encodeRequest(CODE.statusServer, 0, attributes, Buffer.alloc(16, 1), RADSEC_SECRET);
    registry.learnStatus(link, decodePacket(octets));
  };
  if (earlier !== undefined) registry.closed(open("earlier", earlier));
  const [first] = said.map((attributes, index) => open(String(index), attributes));
  if (first !== undefined && later !== undefined) learn(first, later);
  const candidates = () => [...registry.records()];
  const resolver = new RegistryResolver(registry, () => ({ candidates, select: () => undefined }));
  const resolution = resolver.resolve({
    code: CODE.disconnectRequest,
    target: {},
    attributes: [USER],
    trigger: "test",
    proxied: true,
    ...request,
  });
  registry.stop();
  return resolution;
}

/** The attributes that are added, or why nothing is sent. */
function identity(row: Row): readonly Attribute[] | string {
  const resolution = resolved(row);
  if (resolution.kind === "no-route") return resolution.why;
  const attributes = row.request?.attributes ?? [USER];
  return resolution.targets[0]?.identify(attributes).slice(attributes.length) ?? "nobody";
}

describe("what a request calls a NAS that it does not name", () => {
  it.each<{ readonly name: string; readonly row: Row; readonly added: readonly Attribute[] | string }>([
    { name: "what it has said itself", row: { said: [[NAS_1, ADDRESS]], client: NAMED }, added: [NAS_1, ADDRESS] },
    { name: "its address, which is all that it has said", row: { said: [[ADDRESS]], client: NAMED }, added: [ADDRESS] },
    { name: "what it said on a link that has closed", row: { earlier: [NAS_1], client: NAMED }, added: [NAS_1] },
    { name: "what it has said on its other link", row: { said: [[], [NAS_1]], client: NAMED }, added: [NAS_1] },
    {
      name: "what its entry says",
      row: { client: clientEntry({ nasIdentifier: "edge-7" }) },
      added: [textAttribute(ATTRIBUTE.nasIdentifier, "edge-7")],
    },
    {
      name: "the address that its entry says, over UDP too",
      row: { kind: "udp", client: clientEntry({ nasAddress: "2001:db8::7" }) },
      added: [ADDRESS6],
    },
    {
      name: "what its entry says, where it has said two addresses",
      row: { said: [[ADDRESS, ADDRESS6]], client: clientEntry({ nasIdentifier: "nas-1" }) },
      added: [NAS_1],
    },
    {
      name: "over UDP the address that it is at",
      row: { kind: "udp" },
      added: [{ type: ATTRIBUTE.nasIpAddress, value: Buffer.of(192, 0, 2, 7) }],
    },
    { name: "nothing", row: {}, added: "nas-unnamed" },
    { name: "nothing on a UDP fallback", row: { kind: "udp", fallback: true }, added: "nas-unnamed" },
    { name: "nothing, where its peer has two names", row: { said: [[], [NAS_1], [NAS_2]] }, added: "nas-unnamed" },
    {
      name: "nothing, where it has said two names",
      row: { said: [[NAS_1]], later: [NAS_2], client: NAMED },
      added: "nas-unnamed",
    },
  ])("DP-16 RC-08 $name", ({ row, added }) => {
    expect(identity(row)).toEqual(added);
  });

  const code = (value: number): Row => ({
    request: { code: value },
    client: clientEntry({ reverse: new Set([value]) }),
  });
  it("DP-16 nothing that a DAC asks reaches a router without any of the three, be it a Disconnect or a CoA", () => {
    expect(identity(code(CODE.coaRequest))).toBe("nas-unnamed");
  });

  it.each<readonly [string, Row]>([
    ["what the hub asks for itself (RC-08 is a SHOULD)", { request: { proxied: false } }],
    ["other codes", code(CODE.accessRequest)],
    ["what a proxy passes on again", { client: clientEntry({ role: "proxy" }) }],
    ["what a hub passes on again", { client: clientEntry({ role: "hub", nasIdentifier: "a router's" }) }],
    ["what names the NAS by itself", { request: { attributes: [USER, NAS_2] } }],
  ])("DP-16 lets pass %s", (_, row) => {
    expect(identity(row)).toEqual([]);
  });

  it("DP-16 says that nobody is named, and means nobody", () => {
    expect(resolved({})).toEqual({ kind: "no-route", why: "nas-unnamed", nas: undefined });
  });
});
