import type { Clock } from "../../clock.ts";
import type { Actions } from "./actions.ts";
import type { CallItem } from "./list.ts";
import type { LoopWatch } from "./loop-watch.ts";
import type { Pass } from "./pass.ts";
import { type Component, type ComponentCall, RETURN_CODES, type ReturnCode } from "./types.ts";

/** What a module did that it must not. */
export interface ModuleFault {
  readonly kind: "threw" | "timed-out" | "blocked" | "bad-code";
  readonly instance: string;
  readonly component: Component;
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

  constructor(deps: ModuleCallDeps, parts: ModuleCallParts) {
    this.#deps = deps;
    this.#parts = parts;
    this.actions = parts.actions;
  }

  get stores(): boolean {
    return this.#parts.stores;
  }

  run(pass: Pass): ReturnCode | Promise<ReturnCode> {
    const { clock } = this.#deps;
    const { call, limits } = this.#parts;
    const { request } = pass;
    const began = clock.now();
    request.begin(began + limits.callTimeoutMs);
    let answer: ReturnCode | Promise<ReturnCode>;
    try {
      answer = call(request);
    } catch (error) {
      return this.#fault({ kind: "threw", error });
    }
    const tookMs = clock.now() - began;
    if (tookMs >= limits.blockedAfterMs) this.#blocked(tookMs);
    return typeof answer === "string" ? this.#ended(pass, answer) : this.#later(pass, answer);
  }

  async #later(pass: Pass, answer: Promise<ReturnCode>): Promise<ReturnCode> {
    const { clock, watch } = this.#deps;
    const { instance, component, limits } = this.#parts;
    const { request } = pass;
    const leave = watch.enter(instance, component);
    let cancel: () => void = () => undefined;
    const tooLate = new Promise<typeof TOO_LATE>((resolve) => {
      cancel = clock.after(limits.callTimeoutMs, () => resolve(TOO_LATE));
    });
    try {
      const first = await Promise.race([answer, tooLate]);
      if (first !== TOO_LATE) return this.#ended(pass, first);
      pass.request = request.giveUp();
      return this.#fault({ kind: "timed-out", tookMs: limits.callTimeoutMs });
    } catch (error) {
      return this.#fault({ kind: "threw", error });
    } finally {
      cancel();
      leave();
    }
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

const TOO_LATE = Symbol("too late");
