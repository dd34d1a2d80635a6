import type { Clock } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { Store } from "../../store/types.ts";
import type { Recorded } from "../accounting/accounting.ts";
import { AbsentNases } from "./absent-nases.ts";
import type { UpkeepOptions } from "./options.ts";

export interface UpkeepDeps {
  readonly clock: Clock;
  readonly store: Pick<Store, "acctSessions" | "usage" | "audit" | "outbox" | "quota" | "apiRecords" | "health">;
  /** Whether a peer has a link now, on any node. */
  readonly isPresent: (peerKey: string) => boolean;
  /** Acct sessions that were closed here. */
  readonly closed: (acctSession: AcctSession) => void;
  readonly onFault: (error: unknown) => void;
}

/** Rows of one step: the store's thread is soon free for records again. */
const STEP_ROWS_MAX = 200;
/** Steps of one run for each kind of thing; what is left is done by the next run. */
const STEPS_MAX = 500;
/** NASes looked at in one go: a millisecond or so. */
const NASES_PER_TURN = 2_000;

/** Closes acct sessions that nobody will close any more, and forgets what is old. It works in small steps, one after the other.
 *
 *  new --start()--> running --stop()--> stopped */
export class Upkeep {
  readonly #deps: UpkeepDeps;
  readonly #nases: AbsentNases;
  #options: UpkeepOptions;
  #startedAtMs = 0;
  #running = false;
  #cancelSweep: (() => void) | undefined;
  #cancelRetention: (() => void) | undefined;
  #underWay: Promise<void> = Promise.resolve();

  constructor(deps: UpkeepDeps, options: UpkeepOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#nases = new AbsentNases(deps.isPresent);
  }

  start(): void {
    this.#running = true;
    this.#startedAtMs = this.#deps.clock.wallMs();
    this.#waitSweep();
    this.#waitRetention();
  }

  /** Resolves when the step under way has ended. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#cancelSweep?.();
    this.#cancelRetention?.();
    await this.#underWay;
  }

  apply(options: UpkeepOptions): void {
    this.#options = options;
    this.#waitSweep();
    this.#waitRetention();
  }

  /** A record is stored. Of a UDP client nobody knows whether it is there. */
  recorded({ record, link }: Recorded): void {
    if (link.kind !== "udp") this.#nases.heard(record.nasKey, link.peerKey);
  }

  #waitSweep(): void {
    this.#cancelSweep?.();
    if (!this.#running) return;
    this.#cancelSweep = this.#deps.clock.after(this.#options.sweepMs, () => {
      void this.#enqueue(() => this.#sweep()).finally(() => this.#waitSweep());
    });
  }

  #waitRetention(): void {
    this.#cancelRetention?.();
    if (!this.#running) return;
    this.#cancelRetention = this.#deps.clock.after(this.#options.retention.intervalMs, () => {
      void this.#enqueue(() => this.#forgetOld()).finally(() => this.#waitRetention());
    });
  }

  /** One thing at a time. */
  #enqueue(work: () => Promise<void>): Promise<void> {
    this.#underWay = this.#underWay.then(async () => {
      try {
        if (this.#running && this.#deps.store.health.state === "up") await work();
      } catch (error) {
        // While the store is down nothing is old; the next run tries again.
        if (!(error instanceof HubError) || error.code !== "ERR_STORE") this.#deps.onFault(error);
      }
    });
    return this.#underWay;
  }

  async #sweep(): Promise<void> {
    const { clock, store, closed } = this.#deps;
    // While the store was down no record was answered, so silence then is not the router's.
    const listeningSinceMs = Math.max(this.#startedAtMs, store.health.sinceMs);
    await this.#steps(async () => {
      const stale = await store.acctSessions.closeStale(clock.wallMs(), listeningSinceMs, STEP_ROWS_MAX);
      for (const acctSession of stale) closed(acctSession);
      return stale.length;
    });
    if (this.#options.nasGoneMs !== undefined) await this.#closeGone(this.#options.nasGoneMs);
  }

  async #closeGone(nasGoneMs: number): Promise<void> {
    const { clock, store, closed } = this.#deps;
    for (let left = this.#nases.size; left > 0 && this.#running; left -= NASES_PER_TURN) {
      for (const { nasKey, sinceMs } of this.#nases.look(clock.wallMs(), nasGoneMs, Math.min(left, NASES_PER_TURN))) {
        await this.#steps(async () => {
          // One that was heard of since is on another way to another node. What came with the last breath counts as before.
          const gone = await store.acctSessions.closeNas(nasKey, sinceMs + 1, "nas-gone", STEP_ROWS_MAX);
          for (const acctSession of gone) closed(acctSession);
          return gone.length;
        });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async #forgetOld(): Promise<void> {
    const { clock, store } = this.#deps;
    const { acctSessionsMs, auditMs, deadLettersMs } = this.#options.retention;
    const nowMs = clock.wallMs();
    const prunes: readonly (() => Promise<number>)[] = [
      ...(acctSessionsMs === undefined ? [] : [() => store.acctSessions.prune(nowMs - acctSessionsMs, STEP_ROWS_MAX)]),
      ...(auditMs === undefined ? [] : [() => store.audit.prune(nowMs - auditMs, STEP_ROWS_MAX)]),
      ...(deadLettersMs === undefined ? [] : [() => store.outbox.prune(nowMs - deadLettersMs, STEP_ROWS_MAX)]),
      () => store.usage.prune(nowMs, STEP_ROWS_MAX),
      () => store.quota.prune(nowMs, STEP_ROWS_MAX),
      () => store.apiRecords.prune(nowMs, STEP_ROWS_MAX),
    ];
    for (const prune of prunes) await this.#steps(prune);
  }

  /** Repeats a step until it finds less than it could take. */
  async #steps(step: () => Promise<number>): Promise<void> {
    for (let steps = 0; steps < STEPS_MAX && this.#running; steps += 1) {
      if ((await step()) < STEP_ROWS_MAX) return;
    }
  }
}
