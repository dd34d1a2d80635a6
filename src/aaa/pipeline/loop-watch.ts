import type { Clock } from "../../clock.ts";

/** Calls that were waited for while the event loop stood still: one of them held it, or nothing of the pipeline did. */
export interface Standstill {
  readonly tookMs: number;
  /** "instance.component"; at most NAMED_MAX. */
  readonly underWay: readonly string[];
}

export interface LoopWatchDeps {
  readonly clock: Clock;
  readonly standstill: (standstill: Standstill) => void;
}

const LOOK_MS = 100;
const NAMED_MAX = 5;

/** A call that is waited for. */
export class WaitingCall {
  readonly name: string;
  readonly limitMs: number;
  #tooLate: (() => void) | undefined;
  #disarm: (() => void) | undefined;

  constructor(name: string, limitMs: number, tooLate: () => void) {
    this.name = name;
    this.limitMs = limitMs;
    this.#tooLate = tooLate;
  }

  get isOver(): boolean {
    return this.#tooLate === undefined;
  }

  /** @returns false when its time was over before */
  end(): boolean {
    if (this.#tooLate === undefined) return false;
    this.#tooLate = undefined;
    this.#disarm?.();
    return true;
  }

  arm(clock: Clock, ended: () => void): void {
    const cancel = clock.after(this.limitMs, () => {
      const tooLate = this.#tooLate;
      this.end();
      tooLate?.();
    });
    this.#disarm = () => {
      cancel();
      ended();
    };
  }
}

/** Bounds the time of awaited calls, and names those that were under way when the event loop stood still. What a module does before
 *  its first await is measured by ModuleCall, exactly; this finds what it does after one.
 *
 *  A call that ends within the turn of the event loop in which it began, as with what is remembered, costs no timer. */
export class LoopWatch {
  readonly #deps: LoopWatchDeps;
  /** Calls that began in this turn, also those that have ended. */
  #fresh: WaitingCall[] = [];
  #turnBegan = 0;
  readonly #underWay = new Map<string, number>();
  #blockedAfterMs: number;
  #cancel: (() => void) | undefined;
  #lookedAt = 0;
  /** What has been told of since the last look. */
  #toldMs = 0;

  constructor(deps: LoopWatchDeps, blockedAfterMs: number) {
    this.#deps = deps;
    this.#blockedAfterMs = blockedAfterMs;
  }

  apply(blockedAfterMs: number): void {
    this.#blockedAfterMs = blockedAfterMs;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  /** A call is waited for. @param tooLate when its time is over */
  begin(name: string, limitMs: number, tooLate: () => void): WaitingCall {
    const call = new WaitingCall(name, limitMs, tooLate);
    if (this.#fresh.length === 0) {
      this.#turnBegan = this.#deps.clock.now();
      setImmediate(() => this.#turnEnded());
    }
    this.#fresh.push(call);
    return call;
  }

  /** A standstill that is accounted for. */
  told(tookMs: number): void {
    this.#toldMs += tookMs;
    this.#turnBegan += tookMs;
  }

  #turnEnded(): void {
    const { clock } = this.#deps;
    const fresh = this.#fresh;
    this.#fresh = [];
    this.#judge(clock.now() - this.#turnBegan, new Set(fresh.map(({ name }) => name)));
    for (const call of fresh) {
      if (call.isOver) continue;
      this.#underWay.set(call.name, (this.#underWay.get(call.name) ?? 0) + 1);
      call.arm(clock, () => this.#leave(call.name));
    }
    if (this.#underWay.size > 0 && this.#cancel === undefined) this.#wait();
  }

  #leave(name: string): void {
    const left = (this.#underWay.get(name) ?? 1) - 1;
    if (left > 0) this.#underWay.set(name, left);
    else this.#underWay.delete(name);
  }

  /** Looks again after a while; the names are those of now, for the call that held the loop may be over by then. */
  #wait(): void {
    const { clock } = this.#deps;
    this.#lookedAt = clock.now();
    this.#toldMs = 0;
    const names = new Set(this.#underWay.keys());
    this.#cancel = clock.after(LOOK_MS, () => {
      this.#cancel = undefined;
      this.#judge(clock.now() - this.#lookedAt - LOOK_MS - this.#toldMs, names);
      if (this.#underWay.size > 0) this.#wait();
    });
  }

  #judge(tookMs: number, names: ReadonlySet<string>): void {
    if (tookMs < this.#blockedAfterMs) return;
    this.told(tookMs);
    this.#deps.standstill({ tookMs, underWay: [...names].slice(0, NAMED_MAX) });
  }
}
