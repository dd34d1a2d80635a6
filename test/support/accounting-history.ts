import fc from "fast-check";
import type { AccountingRecord, OctetCounter } from "../../src/store/accounting-record.ts";
import { NOON_MS, nasRecord, RecordMaker } from "./accounting-records.ts";

/** What happened on some routers, and the records of it in the order in which they reach the hub: copied, lost, overtaken, over
 *  new links, before and after reboots that begin the Acct-Session-Ids anew. */
export interface History {
  readonly records: readonly AccountingRecord[];
  /** Upload, download and seconds of each user, counted from the events that reached the hub and not from records. */
  readonly expected: ReadonlyMap<string, readonly [number, number, number]>;
}

interface Copy {
  readonly arrivedAtMs: number;
  readonly record: AccountingRecord;
  /** What the acct session had used by then; undefined for what counts nothing. */
  readonly event:
    | { readonly acctSession: object; readonly username: string; readonly used: readonly number[] }
    | undefined;
}

const WRAP = 2 ** 32;
const INTERIM_OCTETS_MAX = 400_000_000;
const USERS = ["alice", "bob", "jürgen"] as const;

const interimPlan = fc.record({
  gapSeconds: fc.integer({ min: 60, max: 600 }),
  upload: fc.integer({ min: 0, max: INTERIM_OCTETS_MAX }),
  download: fc.integer({ min: 0, max: INTERIM_OCTETS_MAX }),
  lost: fc.boolean(),
  /** Seconds on the way, for the record and for each copy of it. */
  delays: fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 3 }),
});

const sessionPlan = fc.record({
  username: fc.constantFrom(...USERS),
  beginsAfterSeconds: fc.integer({ min: 0, max: 900 }),
  /** "wide": Gigawords and a clock. "narrow": a clock and 32 bits. "timeless": 32 bits and no clock. */
  nasKind: fc.constantFrom("wide", "narrow", "timeless"),
  /** So near to 2^32 that many wrap, and not with their first Interim. */
  firstUpload: fc.integer({ min: 0, max: WRAP - 1 - INTERIM_OCTETS_MAX }),
  startCopies: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 2 }),
  interims: fc.array(interimPlan, { maxLength: 4 }),
  stops: fc.boolean(),
});
type SessionPlan = typeof sessionPlan extends fc.Arbitrary<infer Plan> ? Plan : never;

const bootPlan = fc.record({
  /** How many acct sessions are on, numbered from 1 after each boot. */
  acctSessions: fc.array(sessionPlan, { minLength: 1, maxLength: 3 }),
  saysOn: fc.boolean(),
  onDelay: fc.integer({ min: 0, max: 30 }),
});

export const histories: fc.Arbitrary<History> = fc
  .array(fc.array(bootPlan, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 2 })
  .map((routers) => historyOf(routers.flatMap((boots, index) => routerCopies(`nas-${index}`, boots))));

function routerCopies(
  nasKey: string,
  boots: readonly { acctSessions: SessionPlan[]; saysOn: boolean; onDelay: number }[],
): Copy[] {
  const copies: Copy[] = [];
  let bootedAtMs = NOON_MS;
  for (const { acctSessions, saysOn, onDelay } of boots) {
    if (saysOn) copies.push(copyOf(nasRecord("on", nasKey, bootedAtMs), onDelay, undefined));
    let endMs = bootedAtMs;
    for (const [index, plan] of acctSessions.entries()) {
      const startedAtMs = bootedAtMs + (60 + plan.beginsAfterSeconds) * 1_000;
      const own = sessionCopies(
        new RecordMaker({ nasKey, acctSessionId: String(index + 1), username: plan.username, startedAtMs }),
        plan,
      );
      copies.push(...own.copies);
      endMs = Math.max(endMs, own.endMs);
    }
    bootedAtMs = endMs + 120_000;
  }
  return copies;
}

function sessionCopies(maker: RecordMaker, plan: SessionPlan): { copies: Copy[]; endMs: number } {
  const acctSession = {};
  const used: [number, number, number] = [plan.firstUpload, 0, 0];
  const about = (): Copy["event"] => ({ acctSession, username: plan.username, used: [...used] });
  const copies = plan.startCopies.map((delay, copy) => {
    const start = sent(maker.start(), plan, copy === 0 && plan.nasKind === "timeless" ? 0 : delay);
    return copyOf(start.record, start.delay, undefined);
  });
  for (const [index, interim] of plan.interims.entries()) {
    used[0] += interim.upload;
    if (used[0] === WRAP) used[0] += 1; // 0 is what a NAS says that has lost the counter
    used[1] += interim.download;
    used[2] += interim.gapSeconds;
    const last = index === plan.interims.length - 1;
    const record = maker.interim(used[2], 0, { input: counter(used[0], plan), output: counter(used[1], plan) });
    const kind = last && plan.stops ? "stop" : "interim";
    // A 32-bit counter tells its wraps only to somebody who sees it from the beginning and in order.
    const narrow = plan.nasKind !== "wide";
    if (interim.lost && !(narrow && index === 0)) continue;
    for (const [copy, delay] of interim.delays.entries()) {
      const onTheWay = sent(
        { ...record, kind, facts: { linkId: `link-${delay % 3}` } },
        plan,
        narrow && copy === 0 ? 0 : delay,
      );
      copies.push(copyOf(onTheWay.record, onTheWay.delay, about()));
    }
  }
  return { copies, endMs: maker.startedAtMs + used[2] * 1_000 };
}

/** A record of a NAS without a clock says with Acct-Delay-Time how long it was on the way. */
function sent(record: AccountingRecord, plan: SessionPlan, delay: number): { record: AccountingRecord; delay: number } {
  if (plan.nasKind !== "timeless") return { record: { ...record, delaySeconds: delay }, delay };
  return { record: { ...record, eventAtMs: undefined, delaySeconds: delay }, delay };
}

function copyOf(record: AccountingRecord, delay: number, event: Copy["event"]): Copy {
  const arrivedAtMs = record.arrivedAtMs + delay * 1_000;
  return { arrivedAtMs, record: { ...record, arrivedAtMs }, event };
}

function counter(total: number, plan: SessionPlan): OctetCounter {
  const octets = total % WRAP;
  return plan.nasKind === "wide" ? { octets, gigawords: Math.floor(total / WRAP) } : { octets };
}

/** The oracle: for each acct session the most that any event which reached the hub says. */
function historyOf(copies: readonly Copy[]): History {
  const most = new Map<object, { username: string; used: number[] }>();
  for (const { event } of copies) {
    if (event === undefined) continue;
    const known = most.get(event.acctSession) ?? { username: event.username, used: [0, 0, 0] };
    most.set(event.acctSession, {
      username: event.username,
      used: known.used.map((amount, index) => Math.max(amount, event.used[index] as number)),
    });
  }
  const expected = new Map<string, readonly [number, number, number]>(USERS.map((username) => [username, [0, 0, 0]]));
  for (const { username, used } of most.values()) {
    const [upload, download, seconds] = expected.get(username) as [number, number, number];
    expected.set(username, [upload + (used[0] ?? 0), download + (used[1] ?? 0), seconds + (used[2] ?? 0)]);
  }
  const records = copies.toSorted((left, right) => left.arrivedAtMs - right.arrivedAtMs).map(({ record }) => record);
  return { records, expected };
}
