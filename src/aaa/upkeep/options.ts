/** What is closed and forgotten, and when, as config.ts makes it. Durations in milliseconds. */
export interface UpkeepOptions {
  /** Between two looks for stale acct sessions and NASes that are gone; 30,000 as shipped. */
  readonly sweepMs: number;
  /** How long a NAS may have no link before its acct sessions are closed; undefined: for ever. 1,800,000 as shipped. Of UDP
   *  clients nobody knows, they only fall silent. */
  readonly nasGoneMs: number | undefined;
  readonly retention: RetentionOptions;
}

/** How long things are kept; undefined: for ever. */
export interface RetentionOptions {
  /** Between two runs; 600,000 as shipped. */
  readonly intervalMs: number;
  /** Closed acct sessions, since they were closed. */
  readonly acctSessionsMs: number | undefined;
  /** Exchanges in the audit. */
  readonly auditMs: number | undefined;
  /** Dead letters, since they were buried. */
  readonly deadLettersMs: number | undefined;
}
