import { EventFeed, type HubEventOf } from "../../../src/events.ts";
import { type Attribute, attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket, encodePacket, type Packet, ZERO_AUTHENTICATOR } from "../../../src/radius/packet.ts";
import { Registry, type RegistryOptions } from "../../../src/registry/registry.ts";
import type { LinkRecord } from "../../../src/registry/types.ts";
import { FakeLink, type FakeLinkFacts } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

export const HOUR_MS = 3_600_000;

/** A packet as the network would bring it; the registry trusts its caller that it was verified. */
export function packet(code: number, ...attributes: Attribute[]): Packet {
  return decodePacket(encodePacket(code, 1, ZERO_AUTHENTICATOR, attributes));
}

export const nasName = (name: string): Attribute => textAttribute(32, name);
export const nasIp = (...octets: number[]): Attribute => attribute(4, Buffer.from(octets));

/** A registry with a clock that stands still and the binding events it reported. */
export function startRegistry(options: Partial<RegistryOptions> = {}) {
  const clock = new ManualClock();
  const events = new EventFeed((error) => {
    throw error;
  });
  const reported: HubEventOf<"binding">[] = [];
  events.subscribe((event) => {
    if (event.type === "binding") reported.push(event);
  });
  const all = { bindingLapseMs: 24 * HOUR_MS, namesPerLinkMax: 100, bindingsMax: 1_000, ...options };
  /** "changed edge-1 a": what whoever keeps bindings is told, in order. */
  const kept: string[] = [];
  const bindingChanged = (name: string, peerKey: string, change: string) =>
    void kept.push(`${change} ${name} ${peerKey}`);
  const registry = new Registry({ clock, events, bindingChanged }, all);
  const open = (facts: FakeLinkFacts): FakeLink => {
    const link = new FakeLink({ connectedAtMs: clock.wallMs(), ...facts });
    registry.opened(link);
    return link;
  };
  return {
    clock,
    registry,
    options: all,
    reported,
    kept,
    /** "bound edge-1", "refused edge-1" ... */
    changes: () => reported.map(({ change, nasIdentifier }) => `${change} ${nasIdentifier}`),
    open,
    status: (link: FakeLink, ...attributes: Attribute[]) =>
      registry.learnStatus(link, packet(CODE.statusServer, ...attributes)),
    request: (link: FakeLink, ...attributes: Attribute[]) =>
      registry.learnRequest(link, packet(CODE.accountingRequest, ...attributes)),
  };
}

export function ids(records: Iterable<LinkRecord>): string[] {
  return Array.from(records, (record) => record.link.linkId);
}
