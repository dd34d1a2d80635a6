import { peerLabel } from "../transport/peer.ts";
import type { LiveRecord } from "./live-record.ts";
import type { Binding } from "./types.ts";

/** Claimants of one name that are remembered at once. */
const CLAIMANTS_MAX = 8;
/** A claimant that keeps asking is reported again after this long. */
const REPORT_AGAIN_MS = 3_600_000;

interface Refusal {
  readonly peerKey: string;
  readonly peerLabel: string;
  /** Link of the latest claim. */
  linkId: string;
  /** Wall clock of the latest claim. */
  atMs: number;
  /** Clock.now() of the latest claim and of the latest report. */
  claimedAt: number;
  reportedAt: number;
}

/** Peers that were refused one name. A full list takes a further claimant only in the place of one that has been silent for an
 *  hour, so that a name is reported at most eight times an hour whoever claims it. */
export class Refusals {
  #list: Refusal[] = [];

  /** Notes a refused claim; a claimant that is not in the list yet only where `newsAllowed`.
   *  @returns whether to report it, and whether for the first time */
  note(record: LiveRecord, now: number, wallMs: number, newsAllowed: boolean): "first" | "again" | "none" {
    const { peerKey } = record;
    const { peer, linkId } = record.link;
    const known = this.#list.find((refusal) => refusal.peerKey === peerKey);
    if (known !== undefined) {
      known.linkId = linkId;
      known.atMs = wallMs;
      known.claimedAt = now;
      if (now - known.reportedAt < REPORT_AGAIN_MS) return "none";
      known.reportedAt = now;
      return "again";
    }
    if (!newsAllowed) return "none";
    if (this.#list.length >= CLAIMANTS_MAX) {
      const silent = this.#list.findIndex((refusal) => now - refusal.claimedAt >= REPORT_AGAIN_MS);
      if (silent === -1) return "none";
      this.#list.splice(silent, 1);
    }
    this.#list.push({ peerKey, peerLabel: peerLabel(peer), linkId, atMs: wallMs, claimedAt: now, reportedAt: now });
    return "first";
  }

  forget(peerKey: string): void {
    this.#list = this.#list.filter((refusal) => refusal.peerKey !== peerKey);
  }

  /** Links of the latest claims, one a claimant, without claimants that have been silent for an hour. */
  linkIds(now: number): string[] {
    return this.#list.filter(({ claimedAt }) => now - claimedAt < REPORT_AGAIN_MS).map(({ linkId }) => linkId);
  }

  view(): Binding["refused"] {
    return this.#list.map(({ peerLabel: label, peerKey, atMs }) => ({ peerLabel: label, peerKey, atMs }));
  }
}
