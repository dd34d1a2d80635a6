import type { Clock, Random } from "../clock.ts";
import type { Attribute } from "../radius/attribute.ts";
import type { SharedSecret } from "../radius/authenticator.ts";
import type { Cancellation } from "./cancellation.ts";
import type { DropReason, LinkOutcome } from "./link.ts";
import type { RetransmitPlan } from "./retransmission.ts";
import { assertEncodable } from "./sent-request.ts";
import { SocketBudget } from "./socket-budget.ts";
import type { TimingWheel } from "./timing-wheel.ts";
import { UdpDestination } from "./udp-destination.ts";

/** One request and where it goes. */
export interface UdpRequest {
  /** Canonical text of an IP address. */
  readonly address: string;
  readonly port: number;
  /** The address of this machine that the request leaves from; undefined lets the system choose. */
  readonly localAddress?: string | undefined;
  readonly secret: SharedSecret;
  readonly code: number;
  readonly attributes: readonly Attribute[];
  /** Request Authenticator of a code whose Authenticator is random: 16 unpredictable octets, new for each request. */
  readonly authenticator?: Buffer | undefined;
  readonly plan: RetransmitPlan;
  /** Clock.now() after which the request is given up, whatever the plan says. */
  readonly deadline: number;
  /** The caller has gone: nothing is sent any more. */
  readonly signal?: Cancellation | undefined;
  /** Whether a reply to an Access-Request without Message-Authenticator is dropped (BR-08). Read for no other code (BR-05). */
  readonly requireMessageAuthenticator: boolean;
}

export interface UdpRequesterDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly wheel: TimingWheel;
  /** A datagram from a destination was dropped. */
  readonly dropped: (reason: DropReason, from: { readonly address: string; readonly port: number }) => void;
}

export interface UdpRequesterOptions {
  /** Sockets in all, and to one destination: each has 255 Identifiers. At the bound requests wait. */
  readonly socketsMax: number;
  readonly socketsPerDestinationMax: number;
  /** Requests to one destination that wait for an Identifier; one more is `busy`. */
  readonly queueMax: number;
  /** A socket without a request for this long is closed. */
  readonly idleMs: number;
  /** How far Event-Timestamp of a reply may be from now (RFC 5176 Section 6.3: 300 s). */
  readonly timestampWindowMs: number;
}

export const UDP_REQUESTER_DEFAULTS: UdpRequesterOptions = {
  socketsMax: 1_024,
  socketsPerDestinationMax: 64,
  queueMax: 4_096,
  idleMs: 60_000,
  timestampWindowMs: 300_000,
};

/** Sends requests over UDP, sends them again, and finds the reply (UC-01..09).
 *
 *  (1) A retransmission is the same octets from the same port (UC-03); Event-Timestamp stays that of the first (UC-04).
 *  (2) What does not answer a request as RFC 5176 Section 3.4 wants is dropped, and its timers run on (UC-06).
 *  (3) Every request has its outcome at its deadline at the latest; ICMP ends it at once with "closed", "port-unreachable". */
export class UdpRequester {
  readonly #deps: UdpRequesterDeps;
  readonly #options: UdpRequesterOptions;
  readonly #destinations = new Map<string, UdpDestination>();
  readonly #budget: SocketBudget;
  #stopped = false;

  constructor(deps: UdpRequesterDeps, options: UdpRequesterOptions = UDP_REQUESTER_DEFAULTS) {
    this.#deps = deps;
    this.#options = options;
    this.#budget = new SocketBudget(options.socketsMax);
  }

  /** Sockets that are open. */
  get sockets(): number {
    return this.#budget.open;
  }

  /** Settles with how it ended; the promise never rejects.
   *  @throws {HubError} ERR_RADIUS_TOO_LONG, ERR_RADIUS_ATTRIBUTE, at once, when the request can not be a packet (UC-09) */
  request(request: UdpRequest): Promise<LinkOutcome> {
    assertEncodable(request.attributes);
    if (request.signal?.aborted === true) return Promise.resolve({ kind: "aborted", written: false });
    if (this.#stopped) return Promise.resolve({ kind: "closed", written: false, reason: "stopped" });
    const { address, port, localAddress } = request;
    const key = keyOf(address, port, localAddress);
    let destination = this.#destinations.get(key);
    if (destination === undefined) {
      destination = new UdpDestination({ address, port, localAddress }, this.#deps, this.#options, this.#budget, () =>
        this.#destinations.delete(key),
      );
      this.#destinations.set(key, destination);
    }
    return destination.send(request);
  }

  /** How much is under way to a destination. */
  load(address: string, port: number, localAddress?: string): { readonly inFlight: number; readonly queued: number } {
    return this.#destinations.get(keyOf(address, port, localAddress)) ?? NO_LOAD;
  }

  /** Ends every request with "closed" and closes every socket. */
  stop(): void {
    this.#stopped = true;
    for (const destination of this.#destinations.values()) destination.close("stopped");
  }
}

const NO_LOAD = { inFlight: 0, queued: 0 };

function keyOf(address: string, port: number, localAddress: string | undefined): string {
  return `${address} ${port} ${localAddress ?? ""}`;
}
