import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientEntry } from "../../support/client-entries.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ids, nasIp, nasName, startRegistry } from "./harness.ts";

const PEERS = ["a", "b", "c", "d"];
const NAMES = ["x", "y", "Mist-AP"];
const LAPSE_MS = 100;
/** Peers a and b share "Mist-AP". */
const sharing = clientEntry({ name: "mist", sharedNasIdentifiers: new Set(["Mist-AP"]) });
const plain = clientEntry();
const shares = (peer: string, name: string) => (peer === "a" || peer === "b") && name === "Mist-AP";

interface ModelLink {
  readonly link: FakeLink;
  readonly peer: string;
  readonly names: Set<string>;
  readonly hosts: Set<number>;
}

/** The registry's promises, said as plainly as possible: lists that are searched from end to end. */
class Model {
  links: ModelLink[] = [];
  holders: { name: string; peer: string }[] = [];
  /** The latest refused claim of each peer. */
  refused: { name: string; at: ModelLink }[] = [];
  leftAt = new Map<string, number>();
  now = 0;

  claim(at: ModelLink, name: string): void {
    const holders = this.holders.filter((holder) => holder.name === name);
    const mine = holders.some((holder) => holder.peer === at.peer);
    const agreed = shares(at.peer, name) && holders.every((holder) => shares(holder.peer, name));
    this.refused = this.refused.filter((each) => each.name !== name || each.at.peer !== at.peer);
    if (!mine && holders.length > 0 && !agreed) {
      this.refused.push({ name, at });
      return;
    }
    if (!mine) this.holders.push({ name, peer: at.peer });
    at.names.add(name);
  }

  close(at: ModelLink): void {
    this.links = this.links.filter((each) => each !== at);
    if (!this.links.some((each) => each.peer === at.peer)) this.leftAt.set(at.peer, this.now);
  }

  release(name: string): boolean {
    const held = this.holders.some((holder) => holder.name === name);
    this.holders = this.holders.filter((holder) => holder.name !== name);
    for (const each of this.links) each.names.delete(name);
    const claimants = this.refused.filter((each) => each.name === name && this.links.includes(each.at));
    this.#forgetRefusals();
    if (claimants.length === 1) this.claim((claimants[0] as { at: ModelLink }).at, name);
    return held;
  }

  /** They are kept with the name, and go with it. */
  #forgetRefusals(): void {
    this.refused = this.refused.filter(({ name }) => this.holders.some((holder) => holder.name === name));
  }

  pass(ms: number): void {
    this.now += ms;
    for (const [peer, leftAt] of this.leftAt) {
      if (this.now - leftAt >= LAPSE_MS) this.holders = this.holders.filter((holder) => holder.peer !== peer);
    }
    this.#forgetRefusals();
  }
}

const step = fc.oneof(
  fc.record({ kind: fc.constant("open" as const), peer: fc.constantFrom(...PEERS) }),
  fc.record({ kind: fc.constant("close" as const), pick: fc.nat() }),
  fc.record({
    kind: fc.constant("learn" as const),
    pick: fc.nat(),
    name: fc.constantFrom(...NAMES),
    host: fc.integer({ min: 1, max: 3 }),
    status: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("release" as const), name: fc.constantFrom(...NAMES) }),
  fc.record({ kind: fc.constant("pass" as const), ms: fc.integer({ min: 1, max: LAPSE_MS }) }),
);

describe("Registry against a naive model", () => {
  it("IDX-02 IDX-04 IDX-06 after any interleaving, look-ups and bindings are those of the model", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { registry, clock, open, status, request } = startRegistry({ bindingLapseMs: LAPSE_MS });
        const model = new Model();
        let opened = 0;
        for (const each of steps) {
          switch (each.kind) {
            case "open": {
              const client = each.peer === "a" || each.peer === "b" ? sharing : plain;
              const link = open({ linkId: `l${opened++}`, peerKey: each.peer, client });
              model.links.push({ link, peer: each.peer, names: new Set(), hosts: new Set() });
              model.leftAt.delete(each.peer);
              break;
            }
            case "close": {
              const at = model.links[each.pick % model.links.length];
              if (at === undefined) break;
              registry.closed(at.link);
              model.close(at);
              break;
            }
            case "learn": {
              const at = model.links[each.pick % model.links.length];
              if (at === undefined) break;
              (each.status ? status : request)(at.link, nasName(each.name), nasIp(10, 0, 0, each.host));
              model.claim(at, each.name);
              at.hosts.add(each.host);
              break;
            }
            case "release":
              expect(registry.release(each.name)).toBe(model.release(each.name));
              break;
            case "pass":
              clock.advance(each.ms);
              model.pass(each.ms);
          }
          compare(registry, model);
        }
        for (const { link } of model.links) registry.closed(link);
        clock.advance(LAPSE_MS);
        expect([registry.size, [...registry.bindings()], clock.waiting]).toEqual([0, [], 0]);
      }),
      { numRuns: 300 },
    );
  });
});

function compare(registry: ReturnType<typeof startRegistry>["registry"], model: Model): void {
  const idsWhere = (holds: (each: ModelLink) => boolean) =>
    model.links
      .filter(holds)
      .map(({ link }) => link.linkId)
      .sort();
  for (const name of NAMES) {
    const found = ids(registry.byNasIdentifier(name)).sort();
    expect(found).toEqual(idsWhere(({ names }) => names.has(name)));
    expect(registry.count("nasIdentifier", name)).toBe(found.length);
  }
  for (const host of [1, 2, 3]) {
    expect(ids(registry.byNasAddress(`10.0.0.${host}`)).sort()).toEqual(idsWhere(({ hosts }) => hosts.has(host)));
  }
  for (const peer of PEERS) {
    expect(ids(registry.byPeerKey(peer)).sort()).toEqual(idsWhere((each) => each.peer === peer));
  }
  const bound = Array.from(registry.bindings(), ({ nasIdentifier, peerKey }) => `${nasIdentifier} ${peerKey}`);
  expect(bound.sort()).toEqual(model.holders.map(({ name, peer }) => `${name} ${peer}`).sort());
  for (const binding of registry.bindings()) {
    const { nasIdentifier, peerKey } = binding;
    const carriers = idsWhere(({ names, peer }) => peer === peerKey && names.has(nasIdentifier));
    expect([...binding.linkIds].sort()).toEqual(carriers);
    expect(binding.lapsesAtMs !== undefined).toBe(!model.links.some(({ peer }) => peer === peerKey));
  }
}
