import type { Clock } from "../../clock.ts";
import type { Component } from "./types.ts";

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

/** Sees that the event loop stood still, and names the modules whose awaited calls were under way. What a module does before its
 *  first await is measured by ModuleCall, exactly; this finds what it does after one.
 *
 *  It looks only while calls are under way. */
export class LoopWatch {
  readonly #deps: LoopWatchDeps;
  readonly #underWay = new Map<string, number>();
  #blockedAfterMs: number;
  #cancel: (() => void) | undefined;
  #lookedAt = 0;
  /** What ModuleCall has told of since the last look. */
  #toldMs = 0;
  /** Calls under way at any time since the last look: the one that held the loop may be over when the timer runs at last. */
  readonly #seen = new Set<string>();

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

  /** A call is waited for. @returns what ends that */
  enter(instance: string, component: Component): () => void {
    const name = `${instance}.${component}`;
    this.#underWay.set(name, (this.#underWay.get(name) ?? 0) + 1);
    if (this.#cancel === undefined) this.#wait();
    this.#seen.add(name);
    return () => {
      const left = (this.#underWay.get(name) ?? 1) - 1;
      if (left === 0) this.#underWay.delete(name);
      else this.#underWay.set(name, left);
    };
  }

  /** A standstill that is accounted for. */
  told(tookMs: number): void {
    this.#toldMs += tookMs;
  }

  #wait(): void {
    this.#lookedAt = this.#deps.clock.now();
    this.#toldMs = 0;
    this.#seen.clear();
    for (const name of this.#underWay.keys()) this.#seen.add(name);
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const tookMs = this.#deps.clock.now() - this.#lookedAt - LOOK_MS - this.#toldMs;
    this.#cancel = undefined;
    if (tookMs >= this.#blockedAfterMs) {
      this.#deps.standstill({ tookMs, underWay: [...this.#seen].slice(0, NAMED_MAX) });
    }
    if (this.#underWay.size > 0) this.#wait();
  }
}
