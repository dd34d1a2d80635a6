import type { Clock, Random } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import { HubError } from "../../errors.ts";
import type { EventFeed } from "../../events.ts";
import type { Attribute } from "../../radius/attribute.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { NEVER_MS, type QuotaAction } from "../../store/quota-types.ts";
import { PAGE_ITEMS_MAX, type Store } from "../../store/types.ts";
import type { Recorded } from "../accounting/accounting.ts";
import { DropReport } from "../upkeep/drop-report.ts";
import { QuotaActions } from "./actions.ts";
import type { QuotaOptions, QuotaRule } from "./options.ts";
import { reconcile, type Step } from "./reconcile.ts";
import { actionKeyOf, markKeyOf, type Reached, reachedOf, rulesFor, type Standing, strongest } from "./rules.ts";
import { Standings } from "./standings.ts";
import { ThrottleTemplates } from "./templates.ts";
import { UserMemory, type UserFacts } from "./user-memory.ts";
import { type Occasion, UserQueue } from "./user-queue.ts";

export interface QuotaDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly dictionary: Pick<Dictionary, "encode">;
  readonly store: Pick<Store, "acctSessions" | "usage" | "quota" | "users" | "plans">;
  /** The NAS said that it does not know this acct session; its record is closed. */
  readonly closed: (acctSession: AcctSession) => void;
  readonly onFault: (error: unknown) => void;
}

export interface QuotaLoad {
  readonly waiting: number;
  readonly looking: number;
  readonly acting: number;
  readonly remembered: number;
  readonly dropped: number;
  readonly verdictsUnanswered: number;
}

/** Whoever takes an action has so long to carry it out; then it is due again, for any node. Longer than any exchange. */
const LEASE_MS = 120_000;
const DUE_MAX = 256;
/** A mark so young is not taken back: another node may have seen more usage than this one. */
const MARK_YOUNG_MS = 60_000;
const DAY_MS = 86_400_000;
/** Marks and actions outlive their period, so that a late record does not begin them anew. */
const KEPT_DAYS = 7;
/** Where a period has no end: longer than acct sessions last. */
const KEPT_DAYS_ENDLESS = 400;

/** Looks at a user's quota after each record and acts on every acct session of the user.
 *
 *  (1) Accounting never waits for it: recorded() returns at once, and what is beyond a bound is dropped and made up by the next record.
 *  (2) What was done is in the store before it is done: once per threshold and period (marks), or per acct session too (actions).
 *  (3) A user is looked at by one evaluation at a time; it only says what is to be done (reconcile.ts), QuotaActions does it.
 *
 *  new --start()--> running --stop()--> stopped */
export class Quota {
  readonly #deps: QuotaDeps;
  readonly #memory: UserMemory;
  readonly #standings: Standings;
  readonly #templates: ThrottleTemplates;
  readonly #actions: QuotaActions;
  readonly #queue: UserQueue;
  readonly #dropped: DropReport;
  #options: QuotaOptions;
  #cancelSweep: (() => void) | undefined;
  #state: "new" | "running" | "stopped" = "new";

  /** @throws {HubError} ERR_DICTIONARY, ERR_RADIUS_VALUE for attributes of a throttle, RangeError for a time zone */
  constructor(deps: QuotaDeps, options: QuotaOptions) {
    const { clock, random, events, dynauth, store, closed, onFault } = deps;
    this.#deps = deps;
    this.#options = options;
    this.#memory = new UserMemory(clock, store);
    this.#standings = new Standings(clock, store.usage, options);
    this.#templates = new ThrottleTemplates(deps.dictionary);
    this.#templates.apply(options);
    const changed = (username: string): void => {
      this.#memory.forget(username);
      // What was wanted may have changed while the NAS was being asked.
      this.#add(username, {});
    };
    this.#actions = new QuotaActions(
      { clock, random, events, dynauth, store, templates: this.#templates, closed, changed, onFault },
      options.repeat,
    );
    this.#queue = new UserQueue((occasion) => this.#evaluate(occasion));
    this.#dropped = new DropReport({ clock, events }, "quota");
  }

  /** Users that wait to be looked at, users looked at, actions under way, users remembered; and evaluations dropped since the
   *  start. */
  get load(): QuotaLoad {
    const { waiting, running } = this.#queue;
    const acting = this.#actions.running;
    const { unanswered: verdictsUnanswered } = this.#standings;
    const [remembered, dropped] = [this.#memory.size, this.#dropped.total];
    return { waiting, looking: running, acting, remembered, dropped, verdictsUnanswered };
  }

  /** Whether there are rules, so that recorded() looks at acct sessions. */
  get readsRecords(): boolean {
    return this.#options.rules.length > 0;
  }

  start(): void {
    this.#state = "running";
    this.#wait();
  }

  /** Resolves when what has begun is written down; actions at a NAS end with Dynauth.stop(). */
  async stop(): Promise<void> {
    this.#state = "stopped";
    this.#cancelSweep?.();
    this.#standings.stop();
    await this.#queue.stop();
  }

  /** @throws {HubError} ERR_DICTIONARY, ERR_RADIUS_VALUE, RangeError: then the old options stay in force */
  apply(options: QuotaOptions): void {
    this.#templates.apply(options);
    this.#standings.apply(options);
    this.#options = options;
    this.#actions.apply(options.repeat);
    if (this.#state === "running") this.#wait();
  }

  /** A record is stored and its Accounting-Response is on its way. */
  recorded({ result, link }: Recorded): void {
    const { acctSession } = result;
    if (!this.readsRecords || acctSession?.username === undefined) return;
    this.#add(acctSession.username, { heard: { acctSession, linkId: link.linkId } });
  }

  /** The override, plan or usage of a user was changed by hand: looked at now, and not with the next record. */
  userChanged(username: string): void {
    this.#memory.forget(username);
    this.#add(username, { changed: true });
  }

  /** Where a user stands with each rule that holds for any of the open acct sessions, or would hold for a new one; for people.
   *  @throws {HubError} ERR_STORE */
  async standingsOf(username: string): Promise<readonly Standing[]> {
    const facts = await this.#memory.facts(username, 0);
    const rules = this.#rulesOf(username, facts, await this.#openSessions(username));
    return this.#standings.of(username, rules, facts.override);
  }

  get hasRules(): boolean {
    return this.#options.rules.length > 0;
  }

  /** Where a user stands with each rule that holds on one router, as far as is remembered. @throws {HubError} ERR_STORE */
  async standingsOn(username: string, nasIdentifier: string | undefined): Promise<readonly Standing[]> {
    const { rules, memoryMs } = this.#options;
    const { plan, planRules, override } = await this.#memory.facts(username, memoryMs);
    return this.#standings.of(username, rulesFor(rules, { username, plan, planRules, nasIdentifier }), override);
  }

  /** What a throttle sends; undefined where none is configured. */
  throttle(rule: string, percent: number): readonly Attribute[] | undefined {
    return this.#templates.of(rule, percent)?.attributes;
  }

  #add(username: string, why: Parameters<UserQueue["add"]>[1]): void {
    if (this.#state === "running" && !this.#queue.add(username, why)) this.#dropped.count("too many users wait");
  }

  #wait(): void {
    this.#cancelSweep?.();
    if (this.#state !== "running") return;
    this.#cancelSweep = this.#deps.clock.after(this.#options.sweepMs, () => void this.#sweep());
  }

  /** Repetitions whose time has come, and throttles whose period is over. */
  async #sweep(): Promise<void> {
    const nowMs = this.#deps.clock.wallMs();
    try {
      const due = await this.#deps.store.quota.takeDueActions(nowMs, nowMs + LEASE_MS, DUE_MAX);
      for (const { username, actionKey } of due) {
        this.#memory.forget(username);
        this.#add(username, { due: actionKey });
      }
    } catch (error) {
      this.#fault(error);
    }
    this.#wait();
  }

  async #evaluate(occasion: Occasion): Promise<void> {
    try {
      await this.#look(occasion);
    } catch (error) {
      this.#memory.forget(occasion.username);
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    if (error instanceof HubError && error.code === "ERR_STORE") this.#dropped.count("the store refuses");
    else this.#deps.onFault(error);
  }

  async #look(occasion: Occasion): Promise<void> {
    const { username, heard, changed, due } = occasion;
    const facts = await this.#memory.facts(username, changed ? 0 : this.#options.memoryMs);
    const acting = facts.actions.some(isAlive);
    let openSessions = heard.size === 0 || acting ? await this.#openSessions(username) : undefined;
    const known = openSessions ?? [...heard.values()].map(({ acctSession }) => acctSession);
    let standings = await this.#standings.of(username, this.#rulesOf(username, facts, known), facts.override);
    const acts = reachedOf(standings).some(({ threshold }) => threshold.action !== undefined);
    if (acts && openSessions === undefined) {
      openSessions = await this.#openSessions(username);
      // Other routers may have rules of their own.
      standings = await this.#standings.more(
        username,
        this.#rulesOf(username, facts, openSessions),
        facts.override,
        standings,
      );
    }
    await this.#mark(username, facts, standings, changed);
    if (openSessions === undefined) return;
    const wanted = this.#wanted(username, facts, openSessions, standings);
    const steps = reconcile({ openSessions, wanted, actions: facts.actions, heard: new Set(heard.keys()), due });
    for (const step of steps) await this.#take(step, occasion, facts, standings);
  }

  #rulesOf(username: string, facts: UserFacts, acctSessions: readonly AcctSession[]): readonly QuotaRule[] {
    const nases = new Set(acctSessions.map(({ facts: { nasIdentifier } }) => nasIdentifier));
    if (nases.size === 0) nases.add(undefined);
    const { plan, planRules } = facts;
    const holding = new Set<QuotaRule>();
    for (const nasIdentifier of nases) {
      for (const rule of rulesFor(this.#options.rules, { username, plan, planRules, nasIdentifier })) holding.add(rule);
    }
    return this.#options.rules.filter((rule) => holding.has(rule));
  }

  #wanted(
    username: string,
    { plan, planRules }: UserFacts,
    openSessions: readonly AcctSession[],
    standings: readonly Standing[],
  ): ReadonlyMap<string, Reached> {
    const wanted = new Map<string, Reached>();
    for (const { key, facts } of openSessions) {
      const { nasIdentifier } = facts;
      const rules = new Set(rulesFor(this.#options.rules, { username, plan, planRules, nasIdentifier }));
      const best = strongest(reachedOf(standings.filter(({ rule }) => rules.has(rule))));
      if (best !== undefined) wanted.set(key, best);
    }
    return wanted;
  }

  /** All open acct sessions of a user; beyond PAGE_ITEMS_MAX nobody is one user. */
  async #openSessions(username: string): Promise<readonly AcctSession[]> {
    const { acctSessions } = this.#deps.store;
    return (await acctSessions.find({ username, open: true }, { limit: PAGE_ITEMS_MAX })).items;
  }

  /** Announces what was reached, once; and makes what is not reached any more announceable again. */
  async #mark(username: string, facts: UserFacts, standings: readonly Standing[], changed: boolean): Promise<void> {
    const { clock, events, store } = this.#deps;
    const nowMs = clock.wallMs();
    const reached = reachedOf(standings);
    for (const each of reached) {
      const markKey = markKeyOf(username, each);
      if (facts.marks.has(markKey)) continue;
      const { standing, threshold } = each;
      const mark = { markKey, username, atMs: nowMs, expiresAtMs: markExpiry(standing, nowMs) };
      const isFirst = await store.quota.claim(mark, nowMs);
      facts.marks.set(markKey, mark);
      if (!isFirst) continue;
      const { rule, used, amount, periodKey } = standing;
      const { percent, notify } = threshold;
      const told = { username, rule: rule.name, threshold: percent, periodKey, used, amount, notify };
      events.emit({ type: "quota.reached", atMs: nowMs, ...told });
    }
    for (const standing of standings) {
      for (const threshold of standing.rule.thresholds) {
        const mark = facts.marks.get(markKeyOf(username, { standing, threshold }));
        if (mark === undefined || standing.percent >= threshold.percent) continue;
        // A rolling period falls below by itself, and its mark ends by itself.
        const isOver = mark.expiresAtMs <= nowMs;
        const isRaised = standing.rule.period.kind !== "rolling" && nowMs - mark.atMs >= MARK_YOUNG_MS;
        if (!changed && !isOver && !isRaised) continue;
        await store.quota.unclaim(mark.markKey);
        facts.marks.delete(mark.markKey);
      }
    }
  }

  async #take(step: Step, occasion: Occasion, facts: UserFacts, standings: readonly Standing[]): Promise<void> {
    const { quota } = this.#deps.store;
    const nowMs = this.#deps.clock.wallMs();
    const leaseUntilMs = nowMs + LEASE_MS;
    if (step.kind !== "begin" && this.#actions.isRunning(step.action.actionKey)) return;
    this.#memory.forget(occasion.username);
    switch (step.kind) {
      case "begin": {
        const action = newAction(occasion.username, step.acctSession, step.reached, nowMs);
        if (await quota.addAction(action)) this.#act(step, action, occasion, facts);
        return;
      }
      case "run": {
        const change = { state: "due", dueAtMs: leaseUntilMs, ...(step.anew ? { attempts: 0 } : {}) } as const;
        if (await quota.changeAction(step.action.actionKey, change)) {
          this.#act(step, { ...step.action, ...change }, occasion, facts);
        }
        return;
      }
      case "undo": {
        const anew = step.action.state !== "undo-due";
        const change = { state: "undo-due", dueAtMs: leaseUntilMs, ...(anew ? { attempts: 0 } : {}) } as const;
        if (!(await quota.changeAction(step.action.actionKey, change))) return;
        const { acctSession, action } = step;
        const standing = standings.find(({ rule }) => rule.name === action.rule);
        const linkId = occasion.heard.get(acctSession.key)?.linkId;
        this.#actions.start({
          action: { ...action, ...change },
          acctSession,
          standing,
          undo: true,
          linkId,
          replaces: [],
        });
        return;
      }
      case "keep":
        await quota.changeAction(step.action.actionKey, { dueAtMs: step.reached.standing.periodEndsAtMs });
        return;
      case "forget":
        await quota.changeAction(step.action.actionKey, { state: "undone", dueAtMs: NEVER_MS });
        return;
    }
  }

  #act(
    { acctSession, reached }: Extract<Step, { kind: "begin" | "run" }>,
    action: QuotaAction,
    occasion: Occasion,
    facts: UserFacts,
  ): void {
    const others = facts.actions.filter(
      (other) => other.acctSessionKey === acctSession.key && other.state !== "undone" && other.action === "throttle",
    );
    this.#actions.start({
      action,
      acctSession,
      standing: reached.standing,
      undo: false,
      linkId: occasion.heard.get(acctSession.key)?.linkId,
      replaces: others.map(({ actionKey }) => actionKey),
    });
  }
}

/** Whether something may still have to be done about it. */
function isAlive({ action, state }: QuotaAction): boolean {
  return state === "due" || (action === "throttle" && state !== "undone");
}

function newAction(username: string, acctSession: AcctSession, reached: Reached, nowMs: number): QuotaAction {
  const { standing, threshold } = reached;
  return {
    actionKey: actionKeyOf(acctSession.key, reached),
    username,
    acctSessionKey: acctSession.key,
    rule: standing.rule.name,
    threshold: threshold.percent,
    periodKey: standing.periodKey,
    action: threshold.action?.kind === "throttle" ? "throttle" : "disconnect",
    state: "due",
    attempts: 0,
    dueAtMs: nowMs + LEASE_MS,
    lastOutcome: undefined,
    lastAtMs: undefined,
    createdAtMs: nowMs,
    expiresAtMs: actionExpiry(standing, nowMs),
  };
}

function markExpiry({ rule: { period }, periodEndsAtMs }: Standing, nowMs: number): number {
  if (period.kind === "total") return NEVER_MS;
  return period.kind === "rolling" ? nowMs + period.hours * 3_600_000 : periodEndsAtMs + KEPT_DAYS * DAY_MS;
}

function actionExpiry({ rule: { period }, periodEndsAtMs }: Standing, nowMs: number): number {
  const endless = period.kind === "total" || period.kind === "rolling";
  return endless ? nowMs + KEPT_DAYS_ENDLESS * DAY_MS : periodEndsAtMs + KEPT_DAYS * DAY_MS;
}
