import type { Clock } from "./clock.ts";
import type { EventFeed } from "./events.ts";
import { expiries, type TlsMaterial, WARN_BEFORE_MS } from "./tls-material.ts";
import type { Link } from "./transport/link.ts";
import { peerLabel } from "./transport/peer.ts";

const DAY_MS = 86_400_000;
/** Peers of which it is remembered that they were told of; of one more the oldest may be told of again early. */
const PEERS_MAX = 10_000;
/** Events about routers in an hour: of ten thousand that end together the first tell enough. GET /v1/links shows all. */
const PER_HOUR_MAX = 100;
const HOUR_MS = 3_600_000;

/** Says of certificates and revocation lists that they end soon: those of the hub each time it looks, that of a router when it
 *  connects, once a day. */
export class ExpiryWatch {
  readonly #clock: Clock;
  readonly #events: EventFeed;
  /** Clock.now() of the latest event, by peer, oldest first. */
  readonly #told = new Map<string, number>();
  #hour = { begunAt: Number.NEGATIVE_INFINITY, events: 0 };

  constructor({ clock, events }: { readonly clock: Clock; readonly events: EventFeed }) {
    this.#clock = clock;
    this.#events = events;
  }

  /** @param materials by the name of the listener or upstream */
  look(materials: ReadonlyMap<string, TlsMaterial>): void {
    for (const [name, material] of materials) {
      for (const { what, notAfterMs, warnBeforeMs } of expiries(name, material)) {
        if (notAfterMs - this.#clock.wallMs() <= warnBeforeMs) this.#tell(what, notAfterMs);
      }
    }
  }

  /** A link was admitted. */
  admitted({ peer, peerKey }: Pick<Link, "peer" | "peerKey">): void {
    if (peer.kind !== "certificate" || peer.notAfterMs - this.#clock.wallMs() > WARN_BEFORE_MS) return;
    const now = this.#clock.now();
    const toldAt = this.#told.get(peerKey);
    if (toldAt !== undefined && now - toldAt < DAY_MS) return;
    if (now - this.#hour.begunAt >= HOUR_MS) this.#hour = { begunAt: now, events: 0 };
    if (this.#hour.events >= PER_HOUR_MAX) return;
    this.#hour.events += 1;
    this.#told.delete(peerKey);
    const [oldest] = this.#told.size >= PEERS_MAX ? this.#told.keys() : [];
    if (oldest !== undefined) this.#told.delete(oldest);
    this.#told.set(peerKey, now);
    this.#tell(`certificate of router ${peerLabel(peer)}`, peer.notAfterMs);
  }

  #tell(what: string, notAfterMs: number): void {
    const atMs = this.#clock.wallMs();
    const daysLeft = Math.max(0, Math.floor((notAfterMs - atMs) / DAY_MS));
    this.#events.emit({ type: "certificate.expiring", atMs, what, notAfterMs, daysLeft });
  }
}
