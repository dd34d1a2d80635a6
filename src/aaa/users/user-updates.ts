import type { Clock, Random } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import type { Store } from "../../store/types.ts";
import { USER_BATCH_MAX, type UserChange, type UserChangeNext } from "../../store/user-types.ts";
import type { Told } from "./session-requests.ts";

export interface UpdateOptions {
  /** Changed users that are looked at in a second at the most; 200 as shipped. */
  readonly perSecond: number;
}

export interface UpdatesOptions extends UpdateOptions {
  /** As long another node may let users in as they were before. */
  readonly memoryMs: number;
}

export interface UpdatesDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: Pick<Store, "users" | "userChanges" | "health">;
  /** Tells the routers of one user how things are now.
   *  @param sinceMs values are news to acct sessions that began then or later; undefined: to all. @throws {HubError} ERR_STORE */
  readonly update: (username: string, sinceMs: number | undefined) => Promise<UserUpdate>;
  readonly onFault: (error: unknown) => void;
}

export interface UserUpdate {
  /** The worst of what became of the open acct sessions. */
  readonly told: Told;
  /** When it has to be looked at again although nobody changes anything: its validity ends. */
  readonly againAtMs: number | undefined;
}

export interface UpdatesLoad {
  /** Changes being carried out. */
  readonly running: number;
  /** Due and not begun, as of the last look at the store. */
  readonly due: number;
  /** Since the start. */
  readonly done: number;
  readonly repeated: number;
  /** Routers that must not be asked. */
  readonly givenUp: number;
}

const LOOK_MS = 1_000;
/** Whoever takes a change has so long to carry it out; then it is due again, for any node. */
const LEASE_MS = 120_000;
/** Users whose routers are being asked at a moment. */
const AT_ONCE_MAX = 256;
/** Users that are begun in a turn of the event loop. */
const TURN = 10;
/** Users of a plan that are noted in one go. */
const PLAN_STEP = 500;
/** Back-off: twice as long each time up to the cap, and after so many tries only now and then. A router that is away costs
 *  nothing but the look: it keeps the cap, and is told soon after it is back. */
const FLOOR_MS = 5_000;
const CAP_MS = 300_000;
const TRIES_MAX = 10;
const SELDOM_MS = 3_600_000;
/** UserChange.after of a user whose routers were told: who was let in at that moment, and whose acct session came after it, is left. */
const LATECOMERS = "latecomers";
/** What a second look takes of the pace: it finds somebody in a while, and asks a router then. */
const SECOND_LOOK = 0.25;
/** From an Access-Accept to the begin of the acct session, clocks of routers included. */
const SLACK_MS = 15_000;

/** Carries out what the store has noted: users that were changed, or whose validity has ended. A plan is worked off in steps, its
 *  users at a pace. What is noted outlives the hub; of several nodes one takes each change. What a router does not answer is
 *  repeated as long as the store has an open acct session there.
 *
 *  new --start()--> running --stop()--> stopped. There is no timer for a user: one look a second serves all. */
export class UserUpdates {
  readonly #deps: UpdatesDeps;
  readonly #running = new Set<Promise<void>>();
  readonly #counts = { due: 0, done: 0, repeated: 0, givenUp: 0 };
  #options: UpdatesOptions;
  #state: "new" | "running" | "stopped" = "new";
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #allowance = 0;
  #allowedAt = 0;
  #cancel: (() => void) | undefined;

  constructor(deps: UpdatesDeps, options: UpdatesOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  get load(): UpdatesLoad {
    return { running: this.#running.size, ...this.#counts };
  }

  start(): void {
    this.#state = "running";
    this.#allowance = this.#options.perSecond;
    this.#allowedAt = this.#deps.clock.now();
    this.#wait();
  }

  apply(options: UpdatesOptions): void {
    this.#options = options;
  }

  /** Resolves when what runs has ended; exchanges end with Dynauth.stop(). */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancel?.();
    await this.#looking;
    await Promise.all(this.#running);
  }

  /** Something was noted that is due now. */
  look(): void {
    if (this.#state !== "running") return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#lookAgain = false;
    this.#looking = this.#take()
      .catch((error: unknown) => this.#fault(error))
      .finally(() => {
        this.#looking = undefined;
        if (this.#lookAgain) this.look();
      });
  }

  #wait(): void {
    if (this.#state !== "running") return;
    this.#cancel = this.#deps.clock.after(LOOK_MS, () => {
      this.look();
      this.#wait();
    });
  }

  async #take(): Promise<void> {
    const { clock, store } = this.#deps;
    if (store.health.state !== "up") return;
    const wanted = Math.min(this.#allowed(), AT_ONCE_MAX - this.#running.size, USER_BATCH_MAX);
    if (wanted >= 1) {
      const nowMs = clock.wallMs();
      const taken = await store.userChanges.take(nowMs, nowMs + LEASE_MS, wanted);
      const seconds = taken.filter(({ kind, after }) => kind === "user" && after === LATECOMERS).length;
      this.#allowance -= taken.length - seconds + seconds * SECOND_LOOK;
      // They have left some of it to others.
      if (seconds > 0) this.#lookAgain = true;
      for (const [index, change] of taken.entries()) {
        this.#begin(change);
        // A second's worth in one turn of the event loop would hold everybody else up.
        if (index % TURN === TURN - 1) await new Promise((resolve) => setImmediate(resolve));
      }
    }
    this.#counts.due = await store.userChanges.countDue(clock.wallMs());
  }

  /** Changes that may be begun now: what time has allowed, never more than a second's worth. */
  #allowed(): number {
    const now = this.#deps.clock.now();
    const { perSecond } = this.#options;
    this.#allowance = Math.min(perSecond, this.#allowance + ((now - this.#allowedAt) * perSecond) / 1_000);
    this.#allowedAt = now;
    return Math.floor(this.#allowance);
  }

  #begin(change: UserChange): void {
    const running = (change.kind === "plan" ? this.#notePlan(change) : this.#update(change))
      .catch((error: unknown) => this.#fault(error)) // the lease ends, and it comes again
      .finally(() => void this.#running.delete(running));
    this.#running.add(running);
  }

  async #notePlan(change: UserChange): Promise<void> {
    const { clock, store } = this.#deps;
    const { items, next } = await store.users.list({ limit: PLAN_STEP, after: change.after }, { plan: change.name });
    const dueAtMs = clock.wallMs();
    await store.userChanges.put(items.map(({ username }) => ({ kind: "user", name: username, dueAtMs })));
    const further = next === undefined ? undefined : { dueAtMs: clock.wallMs(), attempts: 0, after: next };
    await store.userChanges.settle(change, further);
    if (further === undefined) this.#counts.done += 1;
    this.look();
  }

  async #update(change: UserChange): Promise<void> {
    const isSecond = change.after === LATECOMERS;
    // They began, at the earliest, a little before the first look.
    const sinceMs = isSecond ? this.#deps.clock.wallMs() - this.#settleMs() - 2 * SLACK_MS : undefined;
    const update = await this.#deps.update(change.name, sinceMs);
    await this.#deps.store.userChanges.settle(change, this.#next(change, update, isSecond));
  }

  #next(
    { attempts, after }: UserChange,
    { told, againAtMs }: UserUpdate,
    isSecond: boolean,
  ): UserChangeNext | undefined {
    const nowMs = this.#deps.clock.wallMs();
    const endMs = againAtMs ?? Number.POSITIVE_INFINITY;
    if (told === "again" || told === "away") {
      this.#counts.repeated += 1;
      const dueAtMs = Math.min(endMs, nowMs + this.#backOffMs(attempts, told));
      return { dueAtMs, attempts: attempts + 1, after };
    }
    if (!isSecond) {
      if (told === "given-up") this.#counts.givenUp += 1;
      else this.#counts.done += 1;
      const settledAtMs = nowMs + this.#settleMs();
      if (settledAtMs < endMs) return { dueAtMs: settledAtMs, attempts: 0, after: LATECOMERS };
    }
    return againAtMs === undefined ? undefined : { dueAtMs: againAtMs, attempts: 0 };
  }

  #backOffMs(attempts: number, told: "again" | "away"): number {
    const isSeldom = told === "again" && attempts + 1 >= TRIES_MAX;
    const stepMs = isSeldom ? SELDOM_MS : Math.min(CAP_MS, FLOOR_MS * 2 ** attempts);
    // The upper half is random: a router that comes back is not asked about everybody at once.
    return Math.ceil(stepMs * (0.5 + this.#deps.random.fraction() / 2));
  }

  /** After that everybody has the new values who logs in. */
  #settleMs(): number {
    return this.#options.memoryMs + SLACK_MS;
  }

  #fault(error: unknown): void {
    if (!(error instanceof HubError) || error.code !== "ERR_STORE") this.#deps.onFault(error);
  }
}
