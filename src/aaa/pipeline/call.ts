import type { Clock } from "../../clock.ts";
import type { Actions } from "./actions.ts";
import type { CallItem } from "./list.ts";
import type { LifeStep } from "./life-step.ts";
import type { LoopWatch } from "./loop-watch.ts";
import type { Pass } from "./pass.ts";
import { asWorkOf } from "./stray-errors.ts";
import { type Component, type ComponentCall, RETURN_CODES, type ReturnCode } from "./types.ts";

/** What a module did that it must not. */
export interface ModuleFault {
  readonly kind: "threw" | "timed-out" | "blocked" | "bad-code";
  readonly instance: string;
  /** Where it was called; a step of its life for what it started there. */
  readonly component: Component | LifeStep;
  readonly error?: unknown;
  readonly tookMs?: number;
}

export interface CallLimits {
  /** How long an awaited call may take. */
  readonly callTimeoutMs: number;
  /** How long a call may hold the event loop before it is told of. */
  readonly blockedAfterMs: number;
}

export interface ModuleCallDeps {
  readonly clock: Clock;
  readonly watch: LoopWatch;
  readonly fault: (fault: ModuleFault) => void;
}

export interface ModuleCallParts {
  readonly instance: string;
  readonly component: Component;
  readonly actions: Actions;
  /** An ok or updated means that the record is stored. */
  readonly stores: boolean;
  /** It is the operator's: what it starts and does not wait for must not end the hub. */
  readonly isOwn: boolean;
  readonly call: ComponentCall;
  readonly limits: CallLimits;
}

const CODES: ReadonlySet<unknown> = new Set(RETURN_CODES);

/** One component of one instance in a section: whatever it does, this packet gets a code and no other packet notices. */
export class ModuleCall implements CallItem {
  readonly kind = "call";
  readonly actions: Actions;
  readonly #deps: ModuleCallDeps;
  readonly #parts: ModuleCallParts;
  readonly #name: string;

  constructor(deps: ModuleCallDeps, parts: ModuleCallParts) {
    this.#deps = deps;
    this.#parts = parts;
    this.actions = parts.actions;
    this.#name = `${parts.instance}.${parts.component}`;
  }

  get stores(): boolean {
    return this.#parts.stores;
  }

  run(pass: Pass): ReturnCode | Promise<ReturnCode> {
    const { clock } = this.#deps;
    const { call, isOwn, limits } = this.#parts;
    const { request } = pass;
    const began = clock.now();
    request.begin(began + limits.callTimeoutMs, this.#afterwards);
    let answer: ReturnCode | Promise<ReturnCode>;
    try {
      answer = isOwn ? asWorkOf(this.#threw, () => call(request)) : call(request);
    } catch (error) {
      return this.#fault({ kind: "threw", error });
    }
    const tookMs = clock.now() - began;
    if (tookMs >= limits.blockedAfterMs) this.#blocked(tookMs);
    return answer instanceof Promise ? this.#later(pass, answer) : this.#ended(pass, answer);
  }

  /** What it does once the reply was sent. */
  readonly #afterwards = (action: () => unknown): void => {
    try {
      const done = this.#parts.isOwn ? asWorkOf(this.#threw, action) : action();
      if (done instanceof Promise) done.catch(this.#threw);
    } catch (error) {
      this.#threw(error);
    }
  };

  readonly #threw = (error: unknown): void => void this.#fault({ kind: "threw", error });

  #later(pass: Pass, answer: Promise<ReturnCode>): Promise<ReturnCode> {
    const { callTimeoutMs } = this.#parts.limits;
    const { request } = pass;
    return new Promise((resolve) => {
      const call = this.#deps.watch.begin(this.#name, callTimeoutMs, () => {
        pass.request = request.giveUp();
        resolve(this.#fault({ kind: "timed-out", tookMs: callTimeoutMs }));
      });
      // What comes after the time limit comes for nobody.
      answer.then(
        (code) => call.end() && resolve(this.#ended(pass, code)),
        (error: unknown) => call.end() && resolve(this.#fault({ kind: "threw", error })),
      );
    });
  }

  #ended(pass: Pass, code: ReturnCode): ReturnCode {
    // A module in JavaScript can return anything.
    if (!CODES.has(code)) return this.#fault({ kind: "bad-code" });
    if (this.#parts.stores && (code === "ok" || code === "updated")) pass.stored = true;
    return code;
  }

  #blocked(tookMs: number): void {
    this.#deps.watch.told(tookMs);
    this.#fault({ kind: "blocked", tookMs });
  }

  #fault(what: Pick<ModuleFault, "kind" | "error" | "tookMs">): "fail" {
    const { instance, component } = this.#parts;
    this.#deps.fault({ instance, component, ...what });
    return "fail";
  }
}
