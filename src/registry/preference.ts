import type { LinkRecord } from "./types.ts";

/** Which of several links is taken first. */
export type SelectMode = "first" | "round-robin" | "least-busy";

/** How the modes compare two links; each ends in a comparison that never ties. */
const COMPARE: Readonly<Record<SelectMode, (a: LinkRecord, b: LinkRecord) => number>> = {
  first: (a, b) => a.openedStep - b.openedStep,
  "round-robin": (a, b) => a.chosenStep - b.chosenStep || b.seenStep - a.seenStep,
  "least-busy": (a, b) => load(a) - load(b) || b.seenStep - a.seenStep,
};

function load({ link }: LinkRecord): number {
  return link.inFlight + link.queued;
}

/** A router opens all its links at start: those that came within this time are siblings, not replacements. */
const SIBLINGS_MS = 5_000;

/** The open links among some, best first; the caller's array stays as it is.
 *
 *  A link that has been silent since its peer opened another one much later comes after all others, whatever the mode: it may
 *  be the half-open rest of a connection that the NAS lost, and must not shadow the new one (IDX-06). Its next packet ends that.
 *  After these comes what is only a fallback. */
export function inPreferenceOrder(records: readonly LinkRecord[], mode: SelectMode): LinkRecord[] {
  const open = records.filter((record) => record.link.open);
  if (open.length < 2) return open;
  const newest = new Map<string, LinkRecord>();
  for (const record of open) {
    const { peerKey, fallback } = record.link;
    if (fallback === true) continue;
    if (record.openedStep > (newest.get(peerKey)?.openedStep ?? -1)) newest.set(peerKey, record);
  }
  const rank = (record: LinkRecord): number => {
    if (record.link.fallback === true) return 2;
    const later = newest.get(record.link.peerKey) as LinkRecord;
    const apartMs = later.link.connectedAtMs - record.link.connectedAtMs;
    return Number(record.seenStep < later.openedStep && apartMs > SIBLINGS_MS);
  };
  const compare = COMPARE[mode];
  return open.sort((a, b) => rank(a) - rank(b) || compare(a, b));
}
