import type { PeriodRules, PeriodSpec } from "../../store/periods.ts";

/** Everything about quota, as config.ts makes it. Plain data; durations in milliseconds. */
export interface QuotaOptions {
  /** No rule: no quota. */
  readonly rules: readonly QuotaRule[];
  /** IANA name; where days, weeks and months begin. */
  readonly timeZone: string;
  readonly repeat: RepeatOptions;
  /** How long what the store knows of a user (override, plan, actions) is believed; 30,000 as shipped. What this node changes
   *  itself it knows at once. */
  readonly memoryMs: number;
  /** How often the store is asked for actions that are due; 1,000 as shipped. */
  readonly sweepMs: number;
}

/** Back-off for a throttle or disconnect that the NAS refused or did not answer. */
export interface RepeatOptions {
  /** Before the first repetition (5,000 as shipped); doubled for each, up to `capMs` (300,000). */
  readonly floorMs: number;
  readonly capMs: number;
  /** Requests in all, then it is given up until the next acct session or period; 10 as shipped. */
  readonly attemptsMax: number;
}

/** How much of what in which time. All rules that fit hold at once, each by itself; a rule with an empty `match` is a default,
 *  and holds where no other does. Usage is that of all acct sessions of the user, whatever the rule is matched by. */
export interface QuotaRule {
  /** Unique. */
  readonly name: string;
  readonly match: QuotaMatch;
  readonly counts: QuotaCounts;
  readonly period: PeriodSpec;
  /** Octets, or seconds for "time". Undefined: no limit, unless an override or the verdict sets one. */
  readonly amount: number | undefined;
  /** 1..THRESHOLDS_MAX, each percent once. */
  readonly thresholds: readonly QuotaThreshold[];
  /** Undefined: the hub's own count decides. */
  readonly verdict?: VerdictOptions | undefined;
}

/** Keys that are present must all fit; of each list one item. */
export interface QuotaMatch {
  /** Exact User-Names. */
  readonly users?: readonly string[] | undefined;
  /** Names of plans. Beside them the rule holds for users whose plan in the store names it, so with an empty list for them alone. */
  readonly plans?: readonly string[] | undefined;
  /** NAS-Identifiers: the rule holds for, and acts on, acct sessions on these routers. */
  readonly nas?: readonly string[] | undefined;
  /** As RouteRule.realm: lower-case, "*.example.org" for all below, "*" for any, "" for none. */
  readonly realms?: readonly string[] | undefined;
}

/** Upload is Acct-Input, download Acct-Output, but for a client that swaps them; "time" is Acct-Session-Time. */
export type QuotaCounts = "upload" | "download" | "both" | "time";

export const THRESHOLDS_MAX = 10;
/** Hours of a rolling period at the most: 31 days. */
export const ROLLING_HOURS_MAX = 744;

export interface QuotaThreshold {
  /** Of the amount; may be beyond 100. */
  readonly percent: number;
  /** A webhook (quota.reached), once per period. */
  readonly notify: boolean;
  /** What is done to each acct session. Of several that are reached the strongest is: disconnect before throttle, then the
   *  highest percentage, then the rule that stands first. */
  readonly action: QuotaActionOptions | undefined;
}

export type QuotaActionOptions =
  | { readonly kind: "disconnect" }
  | {
      readonly kind: "throttle";
      /** In a CoA-Request, e.g. Mikrotik-Rate-Limit "1M/1M". At least one. */
      readonly attributes: readonly NamedAttribute[];
      /** What takes it back; empty: nothing does, the throttle lasts as long as the acct session. */
      readonly undo: readonly NamedAttribute[];
    };

/** An attribute as Dictionary.encode() reads it. */
export interface NamedAttribute {
  readonly name: string;
  readonly value: string | number | boolean;
}

/** An operator's REST endpoint that knows better. The hub POSTs what it counted, and is told either the percentage that is used
 *  up, `{"percent": 85}`, or whether its own count stands, `{"verdict": "act"}`, or not, `{"verdict": "allow"}`. */
export interface VerdictOptions {
  /** http: or https:; redirects are refused. */
  readonly url: string;
  /** In the header Authorization, whole. */
  readonly authorization: string | undefined;
  readonly timeoutMs: number;
  /** How long an answer holds for a user. */
  readonly keepMs: number;
  /** While it does not answer: "allow": nothing is done. "last-known": what it said of this user last, "allow" if it never did.
   *  "act": the hub's own count decides. */
  readonly whenDown: "allow" | "last-known" | "act";
}

/** What the store has to count: the periods of all rules, and days and months for people. Each once, or it would count twice. */
export function periodRules(options: Pick<QuotaOptions, "rules" | "timeZone">): PeriodRules {
  const specs = new Map<string, PeriodSpec>();
  const always: readonly PeriodSpec[] = [{ kind: "day" }, { kind: "month", startDay: 1 }];
  for (const spec of [...always, ...options.rules.map(({ period }) => period)]) {
    const of = "startDay" in spec ? spec.startDay : "hours" in spec ? spec.hours : "";
    specs.set(`${spec.kind} ${of}`, spec);
  }
  return { timeZone: options.timeZone, specs: [...specs.values()] };
}
