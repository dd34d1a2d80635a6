import { LRUCache } from "lru-cache";
import type { AcctSession } from "../../store/acct-session.ts";
import { callingStationKey } from "../../store/calling-station.ts";

/** Whose login it is: a device at a NAS; without a station no two logins are known to be of one device. */
export interface Device {
  readonly station: string | undefined;
  readonly nasIdentifier: string | undefined;
}

interface Slot extends Device {
  readonly takenAtMs: number;
}

/** Users whose last logins are remembered; of one more, the one that logged in least recently is forgotten. */
const USERS_MAX = 10_000;
/** A NAS may say that its acct session began a little before its user was let in. */
const SKEW_MS = 2_000;

/** Places of users who were let in and whose accounting Start has not come yet: of two logins at the same moment, the second finds
 *  the place of the first taken. A place is kept until its acct session is there, and no longer than a few seconds. */
export class LoginSlots {
  readonly #keptMs: number;
  readonly #taken = new LRUCache<string, readonly Slot[]>({ max: USERS_MAX });

  constructor(keptMs: number) {
    this.#keptMs = keptMs;
  }

  /** Places of other devices of the user that are not among the acct sessions yet. */
  others(username: string, device: Device, open: readonly AcctSession[], nowMs: number): number {
    const seen = new Set<AcctSession>();
    return this.#young(username, nowMs).filter((slot) => {
      if (isSame(slot, device)) return false;
      const begun = open.find((each) => !seen.has(each) && isOf(each, slot));
      if (begun !== undefined) seen.add(begun);
      return begun === undefined;
    }).length;
  }

  take(username: string, device: Device, nowMs: number): void {
    if (this.#keptMs === 0) return;
    const others = this.#young(username, nowMs).filter((slot) => !isSame(slot, device));
    this.#taken.set(username, [...others, { ...device, takenAtMs: nowMs }]);
  }

  #young(username: string, nowMs: number): readonly Slot[] {
    const slots = this.#taken.get(username) ?? [];
    return slots.filter(({ takenAtMs }) => nowMs - takenAtMs < this.#keptMs);
  }
}

function isSame(slot: Device, { station, nasIdentifier }: Device): boolean {
  return station !== undefined && slot.station === station && slot.nasIdentifier === nasIdentifier;
}

function isOf({ facts, startedAtMs }: AcctSession, { station, takenAtMs }: Slot): boolean {
  if (startedAtMs < takenAtMs - SKEW_MS) return false;
  const known = facts.callingStationId;
  return station === undefined || known === undefined || callingStationKey(known) === station;
}
