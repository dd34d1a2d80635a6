import type { Clock, Random } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import { ERROR_CAUSE } from "../../dynauth/error-cause.ts";
import type { ExchangeRequest } from "../../dynauth/exchange-request.ts";
import type { Outcome } from "../../dynauth/outcome.ts";
import { HubError } from "../../errors.ts";
import type { EventFeed, QuotaActed } from "../../events.ts";
import { ATTRIBUTE, type Attribute, attribute } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { textOctets } from "../../store/octet-text.ts";
import { NEVER_MS, type QuotaAction, type QuotaActionChange } from "../../store/quota-types.ts";
import type { Store } from "../../store/types.ts";
import type { RepeatOptions } from "./options.ts";
import { overshootOf, type Standing } from "./rules.ts";
import type { ThrottleTemplates } from "./templates.ts";

export interface ActionsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly store: Pick<Store, "quota" | "acctSessions">;
  readonly templates: ThrottleTemplates;
  /** The NAS does not know this acct session (any more), and the record of it has been closed. */
  readonly closed: (acctSession: AcctSession) => void;
  /** The stored state of a user's actions has changed, or `failed`: nobody knows. */
  readonly changed: (username: string) => void;
  readonly onFault: (error: unknown) => void;
}

/** One request about one acct session. */
export interface ActionRun {
  readonly action: QuotaAction;
  readonly acctSession: AcctSession;
  /** Undefined when what it was for is not configured any more. */
  readonly standing: Standing | undefined;
  readonly undo: boolean;
  /** The link that the record came on. */
  readonly linkId: string | undefined;
  /** Throttles of the same acct session that this one replaces once it is acknowledged. */
  readonly replaces: readonly string[];
}

/** Actions under way; one more waits RUNS_FULL_MS in the store. */
const RUNS_MAX = 4_096;
const RUNS_FULL_MS = 5_000;

/** Carries quota actions out and writes down what came of them. Nobody waits for a NAS here. */
export class QuotaActions {
  readonly #deps: ActionsDeps;
  readonly #running = new Set<string>();
  #repeat: RepeatOptions;

  constructor(deps: ActionsDeps, repeat: RepeatOptions) {
    this.#deps = deps;
    this.#repeat = repeat;
  }

  get running(): number {
    return this.#running.size;
  }

  apply(repeat: RepeatOptions): void {
    this.#repeat = repeat;
  }

  isRunning(actionKey: string): boolean {
    return this.#running.has(actionKey);
  }

  /** Begins it and returns at once. The caller holds the lease of the action. */
  start(run: ActionRun): void {
    const { actionKey } = run.action;
    if (this.#running.has(actionKey)) return;
    if (this.#running.size >= RUNS_MAX) {
      void this.#write(run.action, { dueAtMs: this.#deps.clock.wallMs() + RUNS_FULL_MS });
      return;
    }
    this.#running.add(actionKey);
    void this.#run(run)
      .catch(this.#deps.onFault)
      .finally(() => {
        this.#running.delete(actionKey);
        this.#deps.changed(run.action.username);
      });
  }

  async #run(run: ActionRun): Promise<void> {
    const { action, standing, undo } = run;
    const request = this.#request(run);
    if (request === undefined) {
      // Nothing takes this throttle back: it lasts as long as the acct session.
      await this.#write(action, { state: "undone", dueAtMs: NEVER_MS });
      return;
    }
    const outcome = await this.#exchange(request);
    if (outcome === "store-down") return; // the lease ends, and it comes again
    await this.#closeUnknown(run, outcome);
    const verdict = verdictOf(outcome);
    const attempts = action.attempts + (verdict === "waits" ? 0 : 1);
    const next = verdict === "again" && attempts >= this.#repeat.attemptsMax ? "given-up" : verdict;
    const nowMs = this.#deps.clock.wallMs();
    await this.#write(action, {
      ...(next === "done" || next === "given-up" ? { state: endState(next, undo) } : {}),
      attempts,
      dueAtMs: this.#dueAtMs(next, run, attempts),
      lastOutcome: outcome === "refused" ? outcome : outcome.kind,
      lastAtMs: nowMs,
    });
    if (next === "done" && !undo) await this.#replace(run);
    this.#deps.events.emit({
      type: "quota.acted",
      atMs: nowMs,
      username: action.username,
      rule: action.rule,
      threshold: action.threshold,
      periodKey: action.periodKey,
      action: undo ? "un-throttle" : action.action,
      acctSessionKey: action.acctSessionKey,
      nas: run.acctSession.facts.nasIdentifier ?? run.acctSession.facts.nasAddress,
      outcome: outcome === "refused" ? outcome : outcome.kind,
      errorCause: outcome !== "refused" && outcome.kind === "nak" ? outcome.errorCause : undefined,
      next,
      attempts,
      used: standing?.used ?? 0,
      amount: standing?.amount,
      overshoot: standing === undefined || undo ? 0 : overshootOf(standing, action.threshold),
    });
  }

  #request({ action, acctSession, undo, linkId }: ActionRun): ExchangeRequest | undefined {
    const changes = action.action === "throttle" ? this.#changes(action, undo) : [];
    if (changes === undefined) return undefined;
    const { username, acctSessionId, key } = acctSession;
    return {
      code: action.action === "disconnect" ? CODE.disconnectRequest : CODE.coaRequest,
      target: {},
      acctSessionKey: key,
      attributes: [
        attribute(ATTRIBUTE.userName, textOctets(username ?? action.username)),
        attribute(ATTRIBUTE.acctSessionId, textOctets(acctSessionId)),
        ...changes,
      ],
      trigger: "quota",
      caller: action.rule,
      ...(linkId === undefined ? {} : { currentLinkId: linkId }),
    };
  }

  #changes({ rule, threshold }: QuotaAction, undo: boolean): readonly Attribute[] | undefined {
    const template = this.#deps.templates.of(rule, threshold);
    const changes = undo ? template?.undo : template?.attributes;
    return changes === undefined || changes.length === 0 ? undefined : changes;
  }

  async #exchange(request: ExchangeRequest): Promise<Outcome | "refused" | "store-down"> {
    try {
      const [outcome] = await this.#deps.dynauth.exchange(request);
      return outcome ?? "refused";
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return error.code === "ERR_STORE" || error.code === "ERR_STOPPED" ? "store-down" : "refused";
    }
  }

  /** RFC 5176 Section 3.5, 503 Session-Context-Not-Found: the acct session is over, whatever its Stop came to. */
  async #closeUnknown({ acctSession }: ActionRun, outcome: Outcome | "refused"): Promise<void> {
    if (!isUnknownToNas(outcome)) return;
    const { clock, store, closed } = this.#deps;
    try {
      const now = await store.acctSessions.close(acctSession.key, clock.wallMs(), "unknown-to-nas");
      if (now !== undefined) closed(now);
    } catch (error) {
      if (!(error instanceof HubError)) throw error; // the store is down: it falls stale
    }
  }

  #dueAtMs(next: QuotaActed["next"], { standing, action, undo }: ActionRun, attempts: number): number {
    if (next === "again") return this.#deps.clock.wallMs() + this.#backOffMs(attempts);
    if (next !== "done" || undo || action.action === "disconnect") return NEVER_MS;
    return standing?.periodEndsAtMs ?? NEVER_MS;
  }

  /** Doubling, with the upper half of each step random: a NAS with a thousand users over quota is not asked by all at once. */
  #backOffMs(attempts: number): number {
    const { floorMs, capMs } = this.#repeat;
    const stepMs = Math.min(capMs, floorMs * 2 ** Math.min(attempts - 1, 30));
    return Math.ceil(stepMs * (0.5 + this.#deps.random.fraction() / 2));
  }

  async #replace({ action, replaces }: ActionRun): Promise<void> {
    for (const actionKey of replaces) {
      if (actionKey !== action.actionKey) await this.#write({ ...action, actionKey }, UNDONE);
    }
  }

  async #write({ actionKey }: QuotaAction, change: QuotaActionChange): Promise<void> {
    try {
      await this.#deps.store.quota.changeAction(actionKey, change);
    } catch (error) {
      // The lease ends, and it is done once more.
      if (!(error instanceof HubError)) throw error;
    }
  }
}

const UNDONE: QuotaActionChange = { state: "undone", dueAtMs: NEVER_MS };

function endState(next: "done" | "given-up", undo: boolean): NonNullable<QuotaActionChange["state"]> {
  return undo ? "undone" : next;
}

function isUnknownToNas(outcome: Outcome | "refused"): boolean {
  return outcome !== "refused" && outcome.kind === "nak" && outcome.errorCause === ERROR_CAUSE.sessionContextNotFound;
}

function verdictOf(outcome: Outcome | "refused"): "done" | "again" | "waits" | "given-up" {
  if (outcome === "refused") return "given-up";
  switch (outcome.kind) {
    case "ack":
      return "done";
    case "nak":
      return isUnknownToNas(outcome) || outcome.requestInitiated ? "done" : "again";
    case "timeout":
    case "busy":
    case "closed":
      return "again";
    case "no-route":
      if (outcome.why === "no-session") return "done";
      return outcome.why === "not-permitted" ? "given-up" : "waits";
  }
}
