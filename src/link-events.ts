import type { Clock } from "./clock.ts";
import type { EventFeed } from "./events.ts";
import type { Packet } from "./radius/packet.ts";
import { nasName } from "./registry/nas-name.ts";
import type { Registry } from "./registry/registry.ts";
import type { CloseReason, DropReason, Link, LinkObserver } from "./transport/link.ts";
import { peerLabel } from "./transport/peer.ts";
import type { UdpSource } from "./transport/udp-port.ts";

/** What links report goes to the registry first, then to the event feed: a subscriber that asks the registry sees the new state. */
export class LinkEvents implements LinkObserver {
  readonly #registry: Registry;
  readonly #events: EventFeed;
  readonly #clock: Clock;

  constructor(registry: Registry, events: EventFeed, clock: Clock) {
    this.#registry = registry;
    this.#events = events;
    this.#clock = clock;
  }

  opened(link: Link): void {
    this.#registry.opened(link);
    this.#events.emit({
      type: "link.up",
      atMs: link.connectedAtMs,
      linkId: link.linkId,
      listener: link.listener,
      client: link.client.name,
      peer: peerLabel(link.peer),
      address: link.address,
      port: link.port,
      protocol: link.protocol,
    });
  }

  statusServer(link: Link, packet: Packet): void {
    this.#registry.learnStatus(link, packet);
  }

  request(link: Link, packet: Packet): void {
    this.#registry.learnRequest(link, packet);
  }

  replied(link: Link): void {
    this.#registry.learnReply(link);
  }

  dropped(link: Link, reason: DropReason): void {
    this.#events.emit({
      type: "packet.dropped",
      atMs: this.#clock.wallMs(),
      linkId: link.linkId,
      listener: link.listener,
      peer: peerLabel(link.peer),
      reason,
    });
  }

  /** A datagram was dropped. */
  datagramDropped(reason: DropReason, { listener, address, link }: UdpSource): void {
    this.#events.emit({
      type: "packet.dropped",
      atMs: this.#clock.wallMs(),
      linkId: undefined,
      listener,
      peer: address,
      client: link?.client.name,
      reason,
    });
  }

  closed(link: Link, reason: CloseReason, detail: string | undefined): void {
    const names = this.#registry.record(link.linkId)?.nasIdentifiers ?? [];
    this.#registry.closed(link);
    const atMs = this.#clock.wallMs();
    this.#events.emit({
      type: "link.down",
      atMs,
      linkId: link.linkId,
      listener: link.listener,
      client: link.client.name,
      peer: peerLabel(link.peer),
      address: link.address,
      nasIdentifiers: [...names].slice(0, NAMES_SHOWN_MAX).map(nasName),
      reason,
      detail,
      livedMs: atMs - link.connectedAtMs,
    });
  }
}

/** A proxy's link can stand for thousands of routers. */
const NAMES_SHOWN_MAX = 20;
