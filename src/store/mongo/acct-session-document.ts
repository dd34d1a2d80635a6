import type { AcctSession, Contribution } from "../acct-session.ts";
import { callingStationKey } from "../calling-station.ts";
import type { SessionDocument, StubDocument } from "./documents.ts";

/** What a document holds beside its acct session, and what does not follow from it. */
export type Marks = Pick<
  SessionDocument,
  "version" | "writeId" | "incarnation" | "firstHeardAtMs" | "checkAtMs" | "usage" | "latest"
>;

export function isStub(document: SessionDocument | StubDocument): document is StubDocument {
  return "stub" in document;
}

/** Every field of an acct session is there, undefined where the document lacks it. */
export function acctSessionOf(document: SessionDocument): AcctSession {
  return {
    key: document._id,
    nasKey: document.nasKey,
    acctSessionId: document.acctSessionId,
    generation: document.generation,
    username: document.username,
    open: document.open,
    closeCause: document.closeCause,
    closedAtMs: document.closedAtMs,
    terminateCause: document.terminateCause,
    startedAtMs: document.startedAtMs,
    countedAtMs: document.countedAtMs,
    heardAtMs: document.heardAtMs,
    staleAfterMs: document.staleAfterMs,
    sessionSeconds: document.sessionSeconds,
    uploadOctets: document.uploadOctets,
    downloadOctets: document.downloadOctets,
    gigawordsSeen: document.gigawordsSeen,
    startSeen: document.startSeen,
    usernames: document.usernames,
    facts: document.facts,
  };
}

export function documentOf({ key, ...fields }: AcctSession, marks: Marks): SessionDocument {
  const { callingStationId } = fields.facts;
  const callingStation = callingStationId === undefined ? undefined : callingStationKey(callingStationId);
  return { _id: key, ...fields, callingStation, ...marks, usageKeys: usageKeysOf(marks.usage) };
}

export function usageKeysOf(usage: readonly Contribution[]): string[] {
  return usage.map(({ username, periodKey }) => usageKey(username, periodKey));
}

/** Begins with the period key, which has no space: keys sort by kind of period, then by time. */
export function usageKey(username: string, periodKey: string): string {
  return `${periodKey} ${username}`;
}

/** The usage of an acct session after a record. What two lying routers report may pass 2^53: it stays there. */
export function addedTo(
  usage: readonly Contribution[],
  contributions: readonly Contribution[],
): readonly Contribution[] {
  const sums = [...usage];
  for (const added of contributions) {
    const index = sums.findIndex(
      ({ username, periodKey }) => username === added.username && periodKey === added.periodKey,
    );
    const present = sums[index];
    if (present === undefined) sums.push({ ...added });
    else sums[index] = { ...present, ...summed(present, added) };
  }
  return sums;
}

type Amounts = Pick<Contribution, "uploadOctets" | "downloadOctets" | "seconds">;

export function summed(left: Amounts, right: Amounts): Amounts {
  const sum = (name: keyof Amounts): number => Math.min(left[name] + right[name], Number.MAX_SAFE_INTEGER);
  return { uploadOctets: sum("uploadOctets"), downloadOctets: sum("downloadOctets"), seconds: sum("seconds") };
}
