import { HubError } from "../errors.ts";
import { textOf } from "../registry/nas-name.ts";
import { inPreferenceOrder } from "../registry/preference.ts";
import type { Registry } from "../registry/registry.ts";
import type { Selection } from "../registry/selection.ts";
import type { LinkRecord } from "../registry/types.ts";
import { peerLabel } from "../transport/peer.ts";
import type { ExchangeRequest, Target } from "./exchange-request.ts";
import { mustNameNas, nasIdentityOf, withNasIdentity } from "./nas-identity.ts";
import type { NoRoute } from "./outcome.ts";
import type { Resolution, ResolvedTarget, Resolver } from "./resolver.ts";

/** Finds the NAS among the live links: by the configured selection rules, else by the link, name or address that the request gives. */
export class RegistryResolver implements Resolver {
  readonly #registry: Registry;
  /** Undefined without `dynauth.select` rules. */
  readonly #selection: () => Selection | undefined;

  constructor(registry: Registry, selection: () => Selection | undefined) {
    this.#registry = registry;
    this.#selection = selection;
  }

  resolve(request: ExchangeRequest): Resolution {
    const { target, code } = request;
    const chooser = target.linkId === undefined ? this.#selection() : undefined;
    const find = chooser === undefined ? () => this.#named(target) : () => chooser.candidates(request);
    const found = find();
    if (found.length === 0) return { kind: "no-route", why: this.#whyNone(target), nas: label(target) };
    const mayGet = ({ link }: LinkRecord) => link.client.reverse.has(code) && request.refuses?.(link, target) !== true; // IDX-01
    const allowed = found.filter(mayGet);
    const first = allowed[0];
    if (first === undefined) return { kind: "no-route", why: "not-permitted", nas: label(target) };
    if (chooser === undefined) this.#assertOnePeer(target, allowed);
    const identity = () => nasIdentityOf(target, first, this.#registry);
    if (mustNameNas(request, first) && identity().length === 0) {
      return { kind: "no-route", why: "nas-unnamed", nas: undefined };
    }
    const { peerKey } = first.link;
    // Whoever sends at once, as nearly everybody does, need not look again.
    let known: readonly LinkRecord[] | undefined = allowed;
    const candidates = (): readonly LinkRecord[] => {
      const records = known ?? find().filter(mayGet);
      known = undefined;
      return records;
    };
    const resolved: ResolvedTarget = {
      nas: label(target) ?? peerLabel(first.link.peer),
      peerKey,
      identify: (attributes) => withNasIdentity(attributes, identity),
      pick: (tried) => {
        const usable = candidates().filter(
          ({ link }) => link.open && link.peerKey === peerKey && !tried.has(link.linkId),
        );
        const best = chooser === undefined ? inPreferenceOrder(usable, "least-busy")[0] : usable[0];
        if (best !== undefined) this.#registry.chosen(best);
        return best?.link;
      },
    };
    return { kind: "targets", targets: [resolved] };
  }

  /** @throws {HubError} ERR_INPUT when the target has no key */
  #named(target: Target): readonly LinkRecord[] {
    const { linkId, nasIdentifier, nasAddress } = target;
    if (linkId !== undefined) {
      const record = this.#registry.record(linkId);
      return record !== undefined && isMeant(record, target) ? [record] : [];
    }
    if (nasIdentifier !== undefined) {
      const records = this.#registry.byNasIdentifier(nasIdentifier);
      if (nasAddress === undefined) return records;
      const meant = records.filter((record) => isMeant(record, target));
      if (meant.length > 0 || this.#registry.binding(nasIdentifier) !== undefined) return meant;
      // Nobody has said the name: it may be that of the router over UDP which is there and has said nothing.
      return this.#atAddress(nasAddress).filter((each) => isAt(each, nasAddress) && each.nasIdentifiers.size === 0);
    }
    if (nasAddress !== undefined) return this.#atAddress(nasAddress);
    throw new HubError("ERR_INPUT", "the request names no NAS: give a NAS-Identifier, a NAS address or a link");
  }

  /** Who has said that the address is its own, and the router over UDP that is there: it need not have said anything yet. */
  #atAddress(nasAddress: string): readonly LinkRecord[] {
    const said = this.#registry.byNasAddress(nasAddress);
    const there = this.#registry.find("address", nasAddress).filter((each) => isAt(each, nasAddress));
    return there.length === 0 ? said : [...new Set([...said, ...there])];
  }

  /** A name that configuration lets several peers share, or an address behind several NATs, says not who is meant: also while
   *  all holders of the name but one are away.
   *  @throws {HubError} ERR_AMBIGUOUS */
  #assertOnePeer(target: Target, records: readonly LinkRecord[]): void {
    const { linkId, nasIdentifier, nasAddress } = target;
    const byNameAlone = linkId === undefined && nasAddress === undefined && nasIdentifier !== undefined;
    const holders = byNameAlone ? this.#registry.holdersOf(nasIdentifier) : 0;
    if (records.length === 1 && holders < 2) return;
    const byPeer = new Map(records.map((record) => [record.link.peerKey, record]));
    const peers = Math.max(byPeer.size, holders);
    if (peers > 1) refuseAmbiguous(target, byPeer, peers);
  }

  #whyNone({ nasIdentifier }: Target): NoRoute["why"] {
    const known = nasIdentifier !== undefined && this.#registry.binding(nasIdentifier) !== undefined;
    return known ? "offline" : "unknown";
  }
}

function isMeant(record: LinkRecord, { nasIdentifier, nasAddress }: Target): boolean {
  return (
    (nasIdentifier === undefined || record.nasIdentifiers.has(nasIdentifier)) &&
    (nasAddress === undefined || record.nasAddresses.has(nasAddress) || isAt(record, nasAddress))
  );
}

/** Whether a router over UDP has the address: that is what proves who it is. A UDP fallback is only a way to who is on TLS. */
function isAt({ link }: LinkRecord, nasAddress: string): boolean {
  return link.kind === "udp" && link.fallback !== true && link.address === nasAddress;
}

/** @throws {HubError} ERR_AMBIGUOUS */
function refuseAmbiguous(target: Target, byPeer: ReadonlyMap<string, LinkRecord>, peers: number): never {
  const candidates = [...byPeer.values()].slice(0, CANDIDATES_SHOWN_MAX).map(({ link }) => ({
    linkId: link.linkId,
    peer: peerLabel(link.peer),
    address: link.address,
  }));
  throw new HubError("ERR_AMBIGUOUS", `${label(target)} is the name of ${peers} peers: name one link`, {
    peers,
    candidates,
  });
}

const CANDIDATES_SHOWN_MAX = 20;

/** The NAS that was named; a link id names none. */
function label({ nasIdentifier, nasAddress }: Target): string | undefined {
  return nasIdentifier === undefined ? nasAddress : textOf(nasIdentifier);
}
