import type { Clock, Random } from "../../clock.ts";
import { BackOff } from "../../transport/back-off.ts";
import type { UpstreamState } from "./upstream-server.ts";

export interface LivenessDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Asks the server once; undefined when it has answered, else what was seen. Never rejects. */
  readonly probe: () => Promise<string | undefined>;
  /** The server went from or came back to service. */
  readonly changed: (up: boolean, detail: string) => void;
}

export interface LivenessOptions {
  /** Requests in a row without an answer that raise suspicion. */
  readonly suspectAfter: number;
  /** Between probes; to a dead server doubled for each that stays unanswered, up to `intervalMaxMs`. */
  readonly intervalMs: number;
  readonly intervalMaxMs: number;
}

/** Unanswered probes that make a suspect dead: our choice; one lost datagram must not. */
const PROBES_TO_DEAD = 3;
/** Answered probes in a row that bring a dead server back (WD-05; RFC 3539 Section 3.4.1 [5]). */
const PROBES_TO_ALIVE = 3;

/** Whether a server behind UDP is alive, which only its answers can tell.
 *
 *  alive --requests or a probe unanswered--> suspect --3 probes unanswered--> dead --3 probes in a row answered--> alive
 *  suspect --anything answered--> alive
 *  (1) While it is not alive exactly one probe is under way or due. (2) After stop() nothing is sent and nothing reported. */
export class Liveness {
  readonly #deps: LivenessDeps;
  readonly #options: LivenessOptions;
  readonly #backOff: BackOff;
  #state: UpstreamState = "alive";
  #unanswered = 0;
  #answered = 0;
  #probing = false;
  #stopped = false;
  #cancelWait: (() => void) | undefined;

  constructor(deps: LivenessDeps, options: LivenessOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#backOff = new BackOff(deps.random, { floorMs: options.intervalMs, capMs: options.intervalMaxMs });
  }

  get state(): UpstreamState {
    return this.#state;
  }

  /** A request was answered. A server that was dead has to answer probes first: its word may be an old one. */
  requestAnswered(): void {
    if (this.#state === "dead") return;
    this.#unanswered = 0;
    if (this.#state === "suspect") this.#revive();
  }

  requestUnanswered(): void {
    if (this.#state !== "alive") return;
    this.#unanswered += 1;
    if (this.#unanswered >= this.#options.suspectAfter) this.#suspect();
  }

  /** One probe out of turn, for the heartbeat. */
  probe(): void {
    if (this.#state === "alive" && !this.#probing) void this.#probe();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWait?.();
  }

  #suspect(): void {
    this.#state = "suspect";
    this.#unanswered = 0;
    if (!this.#probing) void this.#probe();
  }

  #revive(): void {
    this.#state = "alive";
    this.#unanswered = 0;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
  }

  async #probe(): Promise<void> {
    if (this.#stopped) return;
    this.#probing = true;
    const fault = await this.#deps.probe();
    this.#probing = false;
    if (this.#stopped) return;
    if (fault === undefined) this.#probeAnswered();
    else this.#probeUnanswered(fault);
  }

  #probeAnswered(): void {
    if (this.#state !== "dead") return this.#revive();
    this.#answered += 1;
    if (this.#answered < PROBES_TO_ALIVE) return this.#probeIn(this.#options.intervalMs);
    this.#revive();
    this.#deps.changed(true, `${PROBES_TO_ALIVE} probes in a row are answered`);
  }

  #probeUnanswered(fault: string): void {
    this.#answered = 0;
    if (this.#state === "dead") return this.#probeIn(this.#backOff.next());
    if (this.#state === "alive") this.#unanswered = 0;
    this.#state = "suspect";
    this.#unanswered += 1;
    if (this.#unanswered < PROBES_TO_DEAD) return this.#probeIn(this.#options.intervalMs);
    this.#state = "dead";
    this.#backOff.reset();
    this.#probeIn(this.#backOff.next());
    this.#deps.changed(false, fault);
  }

  #probeIn(delayMs: number): void {
    this.#cancelWait = this.#deps.clock.after(delayMs, () => void this.#probe());
  }
}
