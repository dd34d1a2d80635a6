import type { Page, PageRequest } from "./types.ts";

/** Quota state: what operators set by hand, what has been announced, and actions under way. */
export interface QuotaStore {
  override(username: string): Promise<QuotaOverride | undefined>;
  /** Replaces the override of a user as a whole. */
  putOverride(override: QuotaOverride): Promise<void>;
  /** @returns false if there was none */
  removeOverride(username: string): Promise<boolean>;
  overrides(page: PageRequest): Promise<Page<QuotaOverride>>;

  /** Sets a mark unless it stands already: of any number of callers, on any node, exactly one gets true. A mark whose
   *  `expiresAtMs` lies before `nowMs` does not stand. */
  claim(mark: QuotaMark, nowMs: number): Promise<boolean>;
  /** Takes a mark back, so that it can be claimed again: the quota was raised, or what was claimed for failed. */
  unclaim(markKey: string): Promise<boolean>;
  /** The marks of a user, in the order of their keys; at most PAGE_ITEMS_MAX. */
  marks(username: string): Promise<readonly QuotaMark[]>;

  /** Inserts an action unless its key is there: once per threshold, period and acct session. @returns whether it is new */
  addAction(action: QuotaAction): Promise<boolean>;
  /** Takes actions that are due (`dueAtMs` <= `nowMs`), the longest due first, and moves their `dueAtMs` to `leaseUntilMs` in
   *  the same write: of two nodes one gets them, and if that one dies they are due again. */
  takeDueActions(nowMs: number, leaseUntilMs: number, limit: number): Promise<QuotaAction[]>;
  /** Changes those fields of an action. @returns false if it is gone */
  changeAction(actionKey: string, change: QuotaActionChange): Promise<boolean>;
  /** The actions of a user, in the order of their keys; at most PAGE_ITEMS_MAX. */
  actions(username: string): Promise<readonly QuotaAction[]>;
  removeAction(actionKey: string): Promise<boolean>;

  /** Forgets marks and actions that expired before `nowMs`, at most `limit` of each. @returns how many */
  prune(nowMs: number, limit: number): Promise<number>;
}

/** Amounts that hold for one user instead of those of hub.yaml. */
export interface QuotaOverride {
  readonly username: string;
  readonly limits: readonly QuotaLimit[];
  readonly note: string | undefined;
  readonly setAtMs: number;
  /** Name of the token or operator. */
  readonly setBy: string;
}

export interface QuotaLimit {
  /** Name of the rule in hub.yaml. */
  readonly rule: string;
  /** Octets or seconds, as the rule counts; undefined: no limit. */
  readonly amount: number | undefined;
}

/** "Done once": its key says what for, e.g. rule, threshold, period key and, for an action, acct session key. */
export interface QuotaMark {
  readonly markKey: string;
  readonly username: string;
  readonly atMs: number;
  /** The end of its period and some days; Infinity is not storable: use NEVER_MS. */
  readonly expiresAtMs: number;
}

/** A time that does not come. */
export const NEVER_MS = Number.MAX_SAFE_INTEGER;

/** One throttle or disconnect for one acct session, with the state of its repetition. */
export interface QuotaAction {
  readonly actionKey: string;
  readonly username: string;
  /** AcctSession.key */
  readonly acctSessionKey: string;
  readonly rule: string;
  /** Percent of the amount. */
  readonly threshold: number;
  readonly periodKey: string;
  readonly action: "throttle" | "disconnect";
  /** due: to be sent at dueAtMs. done: the NAS acknowledged. undo-due: to be taken back at dueAtMs. undone. given-up. */
  readonly state: QuotaActionState;
  /** Requests sent. */
  readonly attempts: number;
  /** NEVER_MS when nothing is to be done, or only when the next interim comes. */
  readonly dueAtMs: number;
  /** OutcomeKind of dynauth, for people. */
  readonly lastOutcome: string | undefined;
  readonly lastAtMs: number | undefined;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
}

export type QuotaActionState = "due" | "done" | "undo-due" | "undone" | "given-up";

export interface QuotaActionChange {
  readonly state?: QuotaActionState | undefined;
  readonly attempts?: number | undefined;
  readonly dueAtMs?: number | undefined;
  readonly lastOutcome?: string | undefined;
  readonly lastAtMs?: number | undefined;
}
