import type { AcctSession, CloseCause, RecordEffect } from "../acct-session.ts";
import type { RecordDetail, RecordResult } from "../types.ts";
import { type Complete, type Packed, packFacts, unpackFacts, type Value } from "./packed-records.ts";

/** Results on their way back from the worker. */
export interface PackedResults {
  readonly values: Packed;
  /** Of the few results that have some, by their place. */
  readonly closedKeys: ReadonlyMap<number, readonly string[]>;
}

/** Values of one result; and of the acct session behind it: 19, and 22 of its facts. */
const RESULT_VALUES = 4;
const ACCT_SESSION_VALUES = 41;
const NONE: readonly string[] = [];

export function packResults(results: readonly RecordResult[], detail: RecordDetail): PackedResults {
  const values: Value[] = [];
  const closedKeys = new Map<number, readonly string[]>();
  for (const [place, { effect, added, acctSession, closedKeys: keys }] of results.entries()) {
    values.push(effect, added.uploadOctets, added.downloadOctets, added.seconds);
    if (detail === "full") packAcctSession(values, acctSession);
    if (keys.length > 0) closedKeys.set(place, keys);
  }
  return { values, closedKeys };
}

/** What packResults() packed. */
export function unpackResults({ values, closedKeys }: PackedResults, detail: RecordDetail): RecordResult[] {
  const results: RecordResult[] = [];
  const step = detail === "full" ? RESULT_VALUES + ACCT_SESSION_VALUES : RESULT_VALUES;
  for (let at = 0; at < values.length; at += step) {
    results.push({
      effect: values[at] as RecordEffect,
      acctSession: detail === "full" ? unpackAcctSession(values, at + RESULT_VALUES) : undefined,
      added: {
        uploadOctets: values[at + 1] as number,
        downloadOctets: values[at + 2] as number,
        seconds: values[at + 3] as number,
      },
      closedKeys: closedKeys.get(results.length) ?? NONE,
    });
  }
  return results;
}

function packAcctSession(values: Value[], acctSession: AcctSession | undefined): void {
  if (acctSession === undefined) {
    for (let index = 0; index < ACCT_SESSION_VALUES; index += 1) values.push(undefined);
    return;
  }
  values.push(
    acctSession.key,
    acctSession.nasKey,
    acctSession.acctSessionId,
    acctSession.generation,
    acctSession.username,
    acctSession.open,
    acctSession.closeCause,
    acctSession.closedAtMs,
    acctSession.terminateCause,
    acctSession.startedAtMs,
    acctSession.countedAtMs,
    acctSession.heardAtMs,
    acctSession.staleAfterMs,
    acctSession.sessionSeconds,
    acctSession.uploadOctets,
    acctSession.downloadOctets,
    acctSession.gigawordsSeen,
    acctSession.startSeen,
    acctSession.usernames,
  );
  packFacts(values, acctSession.facts);
}

function unpackAcctSession(values: Packed, at: number): AcctSession | undefined {
  const key = values[at];
  if (key === undefined) return undefined;
  const acctSession: Complete<AcctSession> = {
    key: key as string,
    nasKey: values[at + 1] as string,
    acctSessionId: values[at + 2] as string,
    generation: values[at + 3] as number,
    username: values[at + 4] as string | undefined,
    open: values[at + 5] as boolean,
    closeCause: values[at + 6] as CloseCause | undefined,
    closedAtMs: values[at + 7] as number | undefined,
    terminateCause: values[at + 8] as number | undefined,
    startedAtMs: values[at + 9] as number,
    countedAtMs: values[at + 10] as number,
    heardAtMs: values[at + 11] as number,
    staleAfterMs: values[at + 12] as number,
    sessionSeconds: values[at + 13] as number | undefined,
    uploadOctets: values[at + 14] as number,
    downloadOctets: values[at + 15] as number,
    gigawordsSeen: values[at + 16] as boolean,
    startSeen: values[at + 17] as boolean,
    usernames: values[at + 18] as number,
    facts: unpackFacts(values, at + 19),
  };
  return acctSession;
}
