import { LRUCache } from "lru-cache";
import type { Clock } from "../clock.ts";
import { addressGroup } from "./networks.ts";
import type { RefusalReason } from "./refusal.ts";

/** How much one listener takes on (invariant 8; CON-16, CON-17). Each limit refuses the newcomer, with two exceptions: at `linksPerPeer`
 *  the oldest link of the same peer makes room, because a router that reconnects must get in; at a half-open limit a
 *  connection that has been silent since it was opened makes room, because a flood of idle connections must not lock routers out. */
export interface ConnectionLimits {
  readonly links: number;
  readonly linksPerPeer: number;
  readonly linksPerAddress: number;
  /** Connections that have not finished their handshake. */
  readonly halfOpen: number;
  /** IPv6 addresses of one /64 count as one. */
  readonly halfOpenPerAddress: number;
  /** As halfOpenPerAddress; counted in whole seconds. */
  readonly newPerSecondPerAddress: number;
}

/** A connection before admission, as the limits see it. */
export interface HalfOpen {
  /** Clock.now() */
  readonly openedAt: number;
  /** Octets of TLS read so far. */
  readonly octetsRead: number;
  refuse(reason: RefusalReason): void;
}

/** A ClientHello comes with the first round trip: what is silent for longer is idle or lost its first segment. */
const SILENT_MS = 250;
/** Address groups whose rate is remembered; beyond it the least recently seen one starts anew. */
const RATE_GROUPS_MAX = 10_000;

/** Counts connections between accept and admission. Bounded by `halfOpen`; a closed connection leaves at once. */
export class Admission {
  limits: ConnectionLimits;
  readonly #clock: Clock;
  readonly #all = new Set<HalfOpen>();
  readonly #byGroup = new Map<string, Set<HalfOpen>>();
  readonly #groupOf = new Map<HalfOpen, string>();
  readonly #rates = new LRUCache<string, { second: number; count: number }>({ max: RATE_GROUPS_MAX });

  constructor(clock: Clock, limits: ConnectionLimits) {
    this.#clock = clock;
    this.limits = limits;
  }

  get halfOpen(): number {
    return this.#all.size;
  }

  /** The first gate: is there room for one more handshake at all? */
  enter(connection: HalfOpen): RefusalReason | undefined {
    if (!this.#makeRoom(this.#all, this.limits.halfOpen)) return "too-many-half-open";
    this.#all.add(connection);
    return undefined;
  }

  /** The second gate, once the address is known: behind a balancer that is after the PROXY header. */
  locate(connection: HalfOpen, address: string): RefusalReason | undefined {
    const group = addressGroup(address);
    if (!this.#countNew(group)) return "too-many-new";
    const inGroup = this.#byGroup.get(group) ?? new Set();
    if (!this.#makeRoom(inGroup, this.limits.halfOpenPerAddress)) return "too-many-half-open-of-address";
    // Making room may have emptied the group, and so taken it off the map.
    this.#byGroup.set(group, inGroup.add(connection));
    this.#groupOf.set(connection, group);
    return undefined;
  }

  leave(connection: HalfOpen): void {
    this.#all.delete(connection);
    const group = this.#groupOf.get(connection);
    if (group === undefined) return;
    this.#groupOf.delete(connection);
    const inGroup = this.#byGroup.get(group);
    inGroup?.delete(connection);
    if (inGroup?.size === 0) this.#byGroup.delete(group);
  }

  /** Everything that waits for admission, for stop(). */
  waiting(): readonly HalfOpen[] {
    return [...this.#all];
  }

  #makeRoom(connections: ReadonlySet<HalfOpen>, limit: number): boolean {
    if (connections.size < limit) return true;
    const silentSince = this.#clock.now() - SILENT_MS;
    for (const connection of connections) {
      if (connection.openedAt > silentSince) return false; // the rest is younger still
      if (connection.octetsRead > 0) continue;
      connection.refuse(connections === this.#all ? "too-many-half-open" : "too-many-half-open-of-address");
      return true;
    }
    return false;
  }

  #countNew(group: string): boolean {
    const second = Math.floor(this.#clock.now() / 1_000);
    let rate = this.#rates.get(group);
    if (rate === undefined) this.#rates.set(group, (rate = { second, count: 0 }));
    if (rate.second !== second) {
      rate.second = second;
      rate.count = 0;
    }
    rate.count += 1;
    return rate.count <= this.limits.newPerSecondPerAddress;
  }
}
