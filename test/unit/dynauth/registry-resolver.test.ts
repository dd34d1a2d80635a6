import { describe, expect, it } from "vitest";
import type { Target } from "../../../src/dynauth/exchange-request.ts";
import { RegistryResolver } from "../../../src/dynauth/registry-resolver.ts";
import { EventFeed } from "../../../src/events.ts";
import { ATTRIBUTE, type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { Registry } from "../../../src/registry/registry.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const SHARED = clientEntry({ sharedNasIdentifiers: new Set(["Mist-AP"]) });

function start() {
  const clock = new ManualClock();
  const registry = new Registry(
    { clock, events: new EventFeed(() => undefined) },
    { bindingLapseMs: 86_400_000, namesPerLinkMax: 10, bindingsMax: 10 },
  );
  const open = (linkId: string): FakeLink => {
    const link = new FakeLink({ linkId, peerKey: `peer of ${linkId}`, client: SHARED });
    registry.opened(link);
    learn(link, [textAttribute(ATTRIBUTE.nasIdentifier, "Mist-AP")]);
    return link;
  };
  const learn = (link: FakeLink, attributes: readonly Attribute[]): void => {
    const octets = encodeRequest(CODE.statusServer, 0, attributes, Buffer.alloc(16, 1), RADSEC_SECRET);
    registry.learnStatus(link, decodePacket(octets));
  };
  const resolver = new RegistryResolver(registry, () => undefined);
  const resolve = (target: Target = { nasIdentifier: "Mist-AP" }) =>
    resolver.resolve({ code: 40, target, attributes: [], trigger: "test" });
  return { registry, open, resolve, learn };
}

describe("RegistryResolver", () => {
  it("a name that nobody has said may be that of the silent router over UDP at the address that is given with it", () => {
    const { registry, open, resolve } = start();
    const link = Object.assign(new FakeLink({ linkId: "udp", address: "10.0.0.7", client: clientEntry({}) }), {
      kind: "udp",
    });
    registry.opened(link);
    const named = (nasIdentifier: string) => resolve({ nasIdentifier, nasAddress: "10.0.0.7" });
    expect(named("edge-7")).toMatchObject({ kind: "targets", targets: [{ peerKey: link.peerKey }] });
    open("one");
    expect(named("Mist-AP")).toMatchObject({ kind: "no-route" });
  });

  it("a name that several peers share is ambiguous, also while all of them but one are away", () => {
    const { registry, open, resolve } = start();
    open("one");
    const other = open("two");
    expect(resolve).toThrow(expect.objectContaining({ code: "ERR_AMBIGUOUS" }));
    registry.closed(other);
    expect(resolve).toThrow(expect.objectContaining({ code: "ERR_AMBIGUOUS" }));
  });

  it("a name that may be shared and is held by one peer alone means that peer", () => {
    const { open, resolve } = start();
    open("one");
    expect(resolve()).toMatchObject({ kind: "targets", targets: [{ nas: "Mist-AP" }] });
  });

  it("another peer that takes the shared name later does not get what was meant for the first", () => {
    const { open, resolve } = start();
    const first = open("one");
    const resolution = resolve();
    const other = open("two");
    if (resolution.kind !== "targets") throw new Error("no target");
    expect(resolution.targets[0]?.pick(new Set())).toBe(first);
    expect(resolution.targets[0]?.pick(new Set([first.linkId]))).toBeUndefined();
    expect(other.sent).toEqual([]);
  });

  it("RC-08 a link that stands for two NASes gives no address to a request that names neither", () => {
    const { open, resolve, learn } = start();
    const link = open("one");
    learn(link, [textAttribute(ATTRIBUTE.nasIdentifier, "Mist-AP"), { type: 4, value: Buffer.of(10, 0, 0, 7) }]);
    const identify = () => {
      const resolution = resolve({ linkId: "one" });
      return resolution.kind === "targets" ? resolution.targets[0]?.identify([]) : undefined;
    };
    expect(identify()?.map(({ type }) => type)).toEqual([ATTRIBUTE.nasIdentifier, ATTRIBUTE.nasIpAddress]);
    learn(link, [textAttribute(ATTRIBUTE.nasIdentifier, "another")]);
    expect(identify()).toEqual([]);
  });

  it.each([
    [{ linkId: "n1-9" }, undefined],
    [{ nasAddress: "10.0.0.9" }, "10.0.0.9"],
    [{ nasIdentifier: "edge-9" }, "edge-9"],
  ])("of what was named and is not there, %j, only a NAS is shown as nas", (target, nas) => {
    expect(start().resolve(target)).toMatchObject({ kind: "no-route", nas });
  });
});
