import type { AcctSession } from "../../store/acct-session.ts";
import { NEVER_MS, type QuotaAction } from "../../store/quota-types.ts";
import { actionKeyOf, mayBeInForce, type Reached } from "./rules.ts";

/** How far a user's acct sessions are from what they should be. */
export interface Situation {
  readonly openSessions: readonly AcctSession[];
  /** strongest() for each acct session, by key. */
  readonly wanted: ReadonlyMap<string, Reached>;
  /** All of the user, as stored. */
  readonly actions: readonly QuotaAction[];
  /** Acct sessions that a record came of just now: what waited for it is due. */
  readonly heard: ReadonlySet<string>;
  /** Actions that have come due by time. */
  readonly due: ReadonlySet<string>;
}

/** begin: a new one. run: due once more. undo: to be taken back now. keep: in force, look again when its period ends.
 *  forget: nothing is left of it. */
export type Step =
  | { readonly kind: "begin"; readonly acctSession: AcctSession; readonly reached: Reached }
  | {
      readonly kind: "run";
      readonly acctSession: AcctSession;
      readonly reached: Reached;
      readonly action: QuotaAction;
      /** It had ended; its attempts begin anew. */
      readonly anew: boolean;
    }
  | { readonly kind: "undo"; readonly acctSession: AcctSession; readonly action: QuotaAction }
  | { readonly kind: "keep"; readonly action: QuotaAction; readonly reached: Reached }
  | { readonly kind: "forget"; readonly action: QuotaAction };

/** What to do, in the order of the acct sessions. Pure. */
export function reconcile(situation: Situation): readonly Step[] {
  const { openSessions, wanted, actions, heard, due } = situation;
  const steps: Step[] = [];
  const bySession = Map.groupBy(actions, ({ acctSessionKey }) => acctSessionKey);
  for (const acctSession of openSessions) {
    const own = bySession.get(acctSession.key) ?? [];
    bySession.delete(acctSession.key);
    const reached = wanted.get(acctSession.key);
    const key = reached === undefined ? undefined : actionKeyOf(acctSession.key, reached);
    const isDue = (action: QuotaAction): boolean =>
      due.has(action.actionKey) || (action.dueAtMs >= NEVER_MS && heard.has(acctSession.key));
    if (reached !== undefined && !own.some(({ actionKey }) => actionKey === key)) {
      steps.push({ kind: "begin", acctSession, reached });
    }
    for (const action of own) {
      const step =
        reached !== undefined && action.actionKey === key
          ? wantedStep(action, reached, acctSession, isDue(action), due.has(action.actionKey))
          : unwantedStep(action, reached, acctSession, isDue(action));
      if (step !== undefined) steps.push(step);
    }
  }
  // The acct session is over, and what was done to it with it.
  for (const gone of bySession.values()) {
    for (const action of gone) {
      if (action.state !== "undone" && (action.dueAtMs < NEVER_MS || action.state !== "done")) {
        steps.push({ kind: "forget", action });
      }
    }
  }
  return steps;
}

function wantedStep(
  action: QuotaAction,
  reached: Reached,
  acctSession: AcctSession,
  isDue: boolean,
  byTime: boolean,
): Step | undefined {
  switch (action.state) {
    case "due":
      return isDue ? { kind: "run", acctSession, reached, action, anew: false } : undefined;
    case "done":
      return byTime ? { kind: "keep", action, reached } : undefined;
    case "undo-due":
    case "undone":
      return { kind: "run", acctSession, reached, action, anew: true };
    case "given-up":
      return undefined;
  }
}

/** A throttle that another one replaces, or a disconnect, needs no undoing: the other one says what holds. */
function unwantedStep(
  action: QuotaAction,
  reached: Reached | undefined,
  acctSession: AcctSession,
  isDue: boolean,
): Step | undefined {
  if (action.state === "undone") return undefined;
  if (action.action === "disconnect") return action.state === "due" ? { kind: "forget", action } : undefined;
  if (!mayBeInForce(action)) return { kind: "forget", action };
  if (reached !== undefined) return undefined;
  return action.state === "undo-due" && !isDue ? undefined : { kind: "undo", acctSession, action };
}
