import { describe, expect, it } from "vitest";
import type { AccountingRecord } from "../../../src/store/accounting-record.ts";
import type { AcctSession, CloseCause } from "../../../src/store/acct-session.ts";
import { NOON_MS, nasRecord, RecordMaker } from "../../support/accounting-records.ts";
import { ReducedSessions } from "../../support/reduced-sessions.ts";

interface Close {
  readonly close: CloseCause;
  readonly atMs: number;
}

interface Row {
  readonly name: string;
  readonly records: readonly (AccountingRecord | Close)[];
  /** Effect of each record, in order; a close has none. */
  readonly effects: readonly string[];
  /** Upload, download and seconds of alice in all. */
  readonly usage: readonly [number, number, number];
  /** What the acct sessions are in the end. */
  readonly sessions: readonly Partial<AcctSession>[];
}

const alice = new RecordMaker();
const HOUR = 3_600;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const G = 2 ** 32;
const stopped = { open: false, closeCause: "stop" } as const;

/** A record as a NAS without a clock sends it: only the arrival tells when it was. */
function timeless(record: AccountingRecord, lateMs = 0, delaySeconds?: number): AccountingRecord {
  return { ...record, eventAtMs: undefined, arrivedAtMs: record.arrivedAtMs + lateMs, delaySeconds };
}

function isVague({ kind, eventAtMs, sessionSeconds }: AccountingRecord): boolean {
  return eventAtMs === undefined || (kind === "interim" && sessionSeconds === undefined);
}

/** A record that arrives late, its Event-Timestamp unchanged. */
function late(record: AccountingRecord, lateMs: number): AccountingRecord {
  return { ...record, arrivedAtMs: record.arrivedAtMs + lateMs };
}

/** Only upload, with Gigawords. */
function wide(octets: number, gigawords: number): Partial<AccountingRecord> {
  return { input: { octets, gigawords }, output: undefined };
}

const ORDER: readonly Row[] = [
  {
    name: "UL-12 a Start, Interims and a Stop count what the last of them says",
    records: [alice.start(), alice.interim(60, 100), alice.interim(120, 250), alice.stop(150, 300)],
    effects: ["created", "updated", "updated", "closed"],
    usage: [300, 300, 150],
    sessions: [
      {
        ...stopped,
        usernames: 1,
        closedAtMs: NOON_MS + 150_000,
        terminateCause: 1,
        startedAtMs: NOON_MS,
        startSeen: true,
      },
    ],
  },
  {
    name: "Interim after Stop: acknowledged, counters only grow, the acct session stays closed (FIELD E42)",
    records: [alice.stop(150, 300), late(alice.interim(120, 250), 60_000), late(alice.interim(120, 350), 70_000)],
    effects: ["closed", "ignored", "updated"],
    usage: [350, 350, 150],
    sessions: [{ ...stopped, closedAtMs: NOON_MS + 150_000 }],
  },
  {
    name: "a second Stop with more octets: counters grow, the acct session stays closed",
    records: [alice.stop(150, 300), alice.stop(151, 310), alice.stop(151, 310)],
    effects: ["closed", "updated", "duplicate"],
    usage: [310, 310, 151],
    sessions: [{ ...stopped, closedAtMs: NOON_MS + 150_000 }],
  },
  {
    name: "Stop without Start makes an acct session that is closed",
    records: [alice.stop(90, 7)],
    effects: ["closed"],
    usage: [7, 7, 90],
    sessions: [{ ...stopped, startedAtMs: NOON_MS, startSeen: false }],
  },
  {
    name: "Start after Interim is no new acct session",
    records: [alice.interim(60, 100), late(alice.start(), 61_000), alice.interim(120, 200)],
    effects: ["created", "updated", "updated"],
    usage: [200, 200, 120],
    sessions: [{ open: true, startSeen: true, startedAtMs: NOON_MS }],
  },
  {
    name: "Start after Interim without Event-Timestamp is no new acct session either",
    records: [timeless(alice.interim(60, 100)), timeless(alice.start(), 61_000), timeless(alice.interim(120, 200))],
    effects: ["created", "updated", "updated"],
    usage: [200, 200, 120],
    sessions: [{ open: true, startSeen: true, startedAtMs: NOON_MS }],
  },
  {
    name: "Start after Stop leaves it closed",
    records: [alice.stop(150, 300), late(alice.start(), 160_000)],
    effects: ["closed", "updated"],
    usage: [300, 300, 150],
    sessions: [stopped],
  },
  {
    name: "UL-22 duplicates with another Acct-Delay-Time and arrival count once",
    records: [0, 3, 9].flatMap((seconds) => [
      { ...late(alice.start(), seconds * 1_000), delaySeconds: seconds },
      { ...late(alice.interim(60, 100), seconds * 1_000), delaySeconds: seconds },
      { ...late(alice.stop(90, 120), seconds * 1_000), delaySeconds: seconds },
    ]),
    effects: ["created", "updated", "closed", "ignored", "ignored", "duplicate", "ignored", "ignored", "duplicate"],
    usage: [120, 120, 90],
    sessions: [stopped],
  },
  {
    name: "UL-22 duplicates without Event-Timestamp count once",
    records: [
      timeless(alice.start()),
      timeless(alice.start(), 3_000, 3),
      timeless(alice.start(), 5_000),
      timeless(alice.interim(60, 100)),
      timeless(alice.interim(60, 100), 9_000, 8),
      timeless(alice.start(), 70_000, 70),
    ],
    effects: ["created", "duplicate", "duplicate", "updated", "duplicate", "ignored"],
    usage: [100, 100, 60],
    sessions: [{ open: true }],
  },
  {
    name: "an Interim that was overtaken adds nothing and tells nothing",
    records: [
      alice.interim(120, 200, { facts: { framedIp: "10.0.0.2" } }),
      late(alice.interim(60, 100, { username: "mallory", facts: { framedIp: "10.0.0.1", nasPort: 4 } }), 61_000),
    ],
    effects: ["created", "updated"],
    usage: [200, 200, 120],
    sessions: [{ username: "alice", facts: { framedIp: "10.0.0.2", nasPort: 4 } }],
  },
  {
    name: "an Interim that was overtaken by a Stop without counters still counts (FIELD E43)",
    records: [alice.stop(90, 0, { input: undefined, output: undefined }), late(alice.interim(60, 100), 60_000)],
    effects: ["closed", "updated"],
    usage: [100, 100, 90],
    sessions: [stopped],
  },
];

const COUNTERS: readonly Row[] = [
  {
    name: "zero and missing counters do not take anything back (FIELD E43)",
    records: [
      alice.interim(60, 100),
      alice.interim(120, 0),
      alice.stop(150, 0, { input: undefined, output: undefined }),
    ],
    effects: ["created", "updated", "closed"],
    usage: [100, 100, 150],
    sessions: [stopped],
  },
  {
    name: "a lower counter is a wrap if Acct-Session-Time grew and Gigawords was never seen (FIELD F44)",
    records: [alice.interim(60, G - 10), alice.interim(120, 5), alice.interim(180, 25)],
    effects: ["created", "updated", "updated"],
    usage: [G + 25, G + 25, 180],
    sessions: [{ gigawordsSeen: false }],
  },
  {
    name: "after a wrap a record from before it adds nothing",
    records: [alice.interim(60, G - 10), alice.interim(120, 5), late(alice.interim(60, G - 10), 70_000)],
    effects: ["created", "updated", "ignored"],
    usage: [G + 5, G + 5, 120],
    sessions: [{}],
  },
  {
    name: "a lower counter with the same Acct-Session-Time is ignored (FIELD F47)",
    records: [alice.interim(60, 1_000), alice.interim(60, 900)],
    effects: ["created", "duplicate"],
    usage: [1_000, 1_000, 60],
    sessions: [{}],
  },
  {
    name: "a lower counter without Acct-Session-Time is ignored",
    records: [
      alice.interim(60, 1_000, { sessionSeconds: undefined }),
      alice.interim(120, 900, { sessionSeconds: undefined }),
    ],
    effects: ["created", "updated"],
    usage: [1_000, 1_000, 0],
    sessions: [{ countedAtMs: NOON_MS + 120_000 }],
  },
  {
    name: "a lower counter after Gigawords is ignored, though Acct-Session-Time grew",
    records: [
      alice.interim(60, 0, wide(1_000, 0)),
      alice.interim(120, 0, { input: { octets: 900 }, output: undefined }),
    ],
    effects: ["created", "updated"],
    usage: [1_000, 0, 120],
    sessions: [{ gigawordsSeen: true }],
  },
  {
    name: "Gigawords that come first with the wrap are no second wrap",
    records: [
      alice.interim(60, 0, { input: { octets: G - 10 }, output: undefined }),
      alice.interim(120, 0, wide(5, 1)),
      alice.interim(180, 0, wide(5, 2)),
    ],
    effects: ["created", "updated", "updated"],
    usage: [2 * G + 5, 0, 180],
    sessions: [{ gigawordsSeen: true }],
  },
  {
    name: "Gigawords after a wrap that was counted agree with it",
    records: [
      alice.interim(60, 0, { input: { octets: G - 10 }, output: undefined }),
      alice.interim(120, 0, { input: { octets: 5 }, output: undefined }),
      alice.interim(180, 0, wide(50, 1)),
    ],
    effects: ["created", "updated", "updated"],
    usage: [G + 50, 0, 180],
    sessions: [{}],
  },
  {
    name: "Gigawords that are left out are 0",
    records: [
      alice.interim(60, 0, wide(5, 1)),
      alice.interim(120, 0, { input: { octets: 10 }, output: { octets: 10 } }),
    ],
    effects: ["created", "updated"],
    usage: [G + 5, 10, 120],
    sessions: [{ gigawordsSeen: true }],
  },
  {
    name: "Gigawords make 64-bit totals",
    records: [alice.interim(60, 0, wide(G - 1, 1_000_000))],
    effects: ["created"],
    usage: [1_000_001 * G - 1, 0, 60],
    sessions: [{ uploadOctets: 1_000_001 * G - 1 }],
  },
  {
    name: "a total of 2^53 and more is beyond belief and ignored",
    records: [alice.interim(60, 0, wide(7, 0)), alice.interim(120, 0, wide(0, 2_097_152))],
    effects: ["created", "updated"],
    usage: [7, 0, 120],
    sessions: [{}],
  },
  {
    name: "Input is upload and Output download",
    records: [alice.interim(60, 0, { input: { octets: 3 }, output: { octets: 8 } })],
    effects: ["created"],
    usage: [3, 8, 60],
    sessions: [{ uploadOctets: 3, downloadOctets: 8 }],
  },
  {
    name: "a NAS that counts the other way round is turned (FIELD F51)",
    records: [alice.interim(60, 0, { input: { octets: 3 }, output: { octets: 8, gigawords: 1 }, swapped: true })],
    effects: ["created"],
    usage: [G + 8, 3, 60],
    sessions: [{ uploadOctets: G + 8, downloadOctets: 3 }],
  },
  {
    name: "what was used before the User-Name was known belongs to the first one",
    records: [alice.interim(60, 100, { username: undefined }), alice.interim(120, 150, { username: "alice" })],
    effects: ["created", "updated"],
    usage: [150, 150, 120],
    sessions: [{ username: "alice" }],
  },
  {
    name: "an empty User-Name is none",
    records: [alice.interim(60, 100), alice.interim(120, 150, { username: "" })],
    effects: ["created", "updated"],
    usage: [150, 150, 120],
    sessions: [{ username: "alice", usernames: 1 }],
  },
  {
    name: "what is used after the User-Name changed belongs to the new one",
    records: [alice.interim(60, 100, { username: "guest" }), alice.interim(120, 150)],
    effects: ["created", "updated"],
    usage: [50, 50, 60],
    sessions: [{ username: "alice", usernames: 2 }],
  },
  {
    name: "the eighth User-Name is the last: a NAS cannot make usage grow without bound",
    records: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((turn) =>
      alice.interim(turn * 60, turn, { username: turn === 8 ? "alice" : `guest-${turn}` }),
    ),
    effects: ["created", ...Array.from({ length: 9 }, () => "updated")],
    usage: [3, 3, 180],
    sessions: [{ username: "alice", usernames: 8 }],
  },
];

const after = new RecordMaker({ startedAtMs: NOON_MS + 2 * HOUR * 1_000 });
const quick = new RecordMaker({ startedAtMs: NOON_MS + (HOUR + 100) * 1_000 });
const lagging = new RecordMaker({ startedAtMs: NOON_MS - 4 * HOUR * 1_000 });
/** The NAS came up two hours later with a clock that is six hours slow. */
const slow = (record: AccountingRecord): AccountingRecord => late(record, 6 * HOUR * 1_000);

/** The clock of the NAS was two hours slow and is right now. */
const right = (record: AccountingRecord): AccountingRecord => ({
  ...record,
  eventAtMs: record.arrivedAtMs + 2 * HOUR * 1_000,
});
/** After so many reboots, ten minutes each. */
const rebooted = (boots: number) => new RecordMaker({ startedAtMs: NOON_MS + boots * 600_000 });

const GENERATIONS: readonly Row[] = [
  {
    name: "the same Acct-Session-Id after Accounting-On is a new acct session",
    records: [alice.interim(HOUR, 1_000), nasRecord("on", "nas-1", quick.startedAtMs - 5_000), quick.interim(60, 10)],
    effects: ["created", "nas", "new-generation"],
    usage: [1_010, 1_010, HOUR + 60],
    sessions: [
      { open: false, closeCause: "nas-on" },
      { open: true, generation: 1, uploadOctets: 10 },
    ],
  },
  {
    name: "Accounting-On from a NAS without a clock",
    records: [
      timeless(alice.interim(HOUR, 1_000)),
      { ...nasRecord("on", "nas-1", after.startedAtMs - 5_000), eventAtMs: undefined },
      timeless(after.start()),
      timeless(after.interim(60, 10)),
    ],
    effects: ["created", "nas", "new-generation", "updated"],
    usage: [1_010, 1_010, HOUR + 60],
    sessions: [
      { open: false, closeCause: "nas-on" },
      { open: true, generation: 1 },
    ],
  },
  {
    name: "Accounting-On, and records without Acct-Session-Time",
    records: [
      alice.interim(60, 1_000, { sessionSeconds: undefined }),
      nasRecord("on", "nas-1", quick.startedAtMs - 5_000),
      late(alice.interim(90, 1_100, { sessionSeconds: undefined }), HOUR * 1_000),
      quick.interim(60, 10, { sessionSeconds: undefined }),
    ],
    effects: ["created", "nas", "updated", "new-generation"],
    usage: [1_110, 1_110, 0],
    sessions: [
      { open: false, closeCause: "nas-on", uploadOctets: 1_100 },
      { open: true, uploadOctets: 10 },
    ],
  },
  {
    name: "a record of before Accounting-Off that comes after it counts for the old acct session, which stays closed",
    records: [
      alice.interim(HOUR, 1_000),
      nasRecord("off", "nas-1", NOON_MS + (HOUR + 20) * 1_000),
      late(alice.stop(HOUR + 19, 1_100), 30_000),
    ],
    effects: ["created", "nas", "updated"],
    usage: [1_100, 1_100, HOUR + 19],
    sessions: [{ open: false, closeCause: "nas-off", uploadOctets: 1_100 }],
  },
  {
    name: "Accounting-On closes that NAS's acct sessions and no other's",
    records: [
      alice.start(),
      new RecordMaker({ nasKey: "nas-2" }).start(),
      new RecordMaker({ nasKey: "nas-11" }).start(),
      nasRecord("on", "nas-1", NOON_MS + 60_000),
    ],
    effects: ["created", "created", "created", "nas"],
    usage: [0, 0, 0],
    sessions: [{ open: false, closeCause: "nas-on" }, { open: true }, { open: true }],
  },
  {
    name: "Accounting-On that is overtaken leaves the acct session that began after it",
    records: [after.start(), late(nasRecord("on", "nas-1", after.startedAtMs - 10_000), 20_000)],
    effects: ["created", "nas"],
    usage: [0, 0, 0],
    sessions: [{ open: true }],
  },
  {
    name: "Acct-Session-Time that went back is a new acct session, without Accounting-On and without Start",
    records: [alice.interim(HOUR, 1_000), after.interim(60, 2_000), after.stop(90, 2_500)],
    effects: ["created", "new-generation", "closed"],
    usage: [3_500, 3_500, HOUR + 90],
    sessions: [
      { open: true, generation: 0 },
      { ...stopped, generation: 1 },
    ],
  },
  {
    name: "Acct-Session-Time that went back, from a NAS without a clock",
    records: [timeless(alice.interim(HOUR, 1_000)), timeless(after.interim(60, 2_000))],
    effects: ["created", "new-generation"],
    usage: [3_000, 3_000, HOUR + 60],
    sessions: [{ generation: 0 }, { generation: 1 }],
  },
  {
    name: "Acct-Session-Time within the tolerance is the same acct session",
    records: [alice.interim(HOUR, 1_000), alice.interim(HOUR - 9, 1_100, { eventAtMs: NOON_MS + (HOUR + 1) * 1_000 })],
    effects: ["created", "updated"],
    usage: [1_100, 1_100, HOUR],
    sessions: [{ open: true }],
  },
  {
    name: "Acct-Session-Time within the tolerance is the same acct session, also where it seems to begin later",
    records: [
      alice.interim(9, 100),
      alice.interim(2, 110, { eventAtMs: NOON_MS + 12_000, arrivedAtMs: NOON_MS + 12_000 }),
    ],
    effects: ["created", "updated"],
    usage: [110, 110, 9],
    sessions: [{ open: true }],
  },
  {
    name: "a record that was overtaken by far is no new acct session",
    records: [alice.interim(HOUR, 1_000), late(alice.interim(60, 10), 2 * HOUR * 1_000)],
    effects: ["created", "ignored"],
    usage: [1_000, 1_000, HOUR],
    sessions: [{ open: true }],
  },
  {
    name: "a record that was overtaken by far, from a clock that drifts, is no new acct session",
    records: [
      alice.interim(HOUR, 1_000),
      late(alice.interim(60, 10, { eventAtMs: NOON_MS + 70_000 }), 2 * HOUR * 1_000),
    ],
    effects: ["created", "ignored"],
    usage: [1_000, 1_000, HOUR],
    sessions: [{ open: true }],
  },
  {
    name: "a clock that is put right during an acct session begins no new one",
    records: [late(alice.interim(60, 10), 2 * HOUR * 1_000), late(right(alice.interim(120, 20)), 2 * HOUR * 1_000)],
    effects: ["created", "updated"],
    usage: [20, 20, 120],
    sessions: [{ open: true }],
  },
  {
    name: "a record that was overtaken, from a NAS without a clock, is no new acct session",
    records: [timeless(alice.interim(120, 200)), timeless(alice.interim(60, 100), 62_000)],
    effects: ["created", "ignored"],
    usage: [200, 200, 120],
    sessions: [{ open: true }],
  },
  {
    name: "records of the old acct session that come after the reboot count for the old one",
    records: [
      alice.interim(HOUR, 1_000),
      quick.start(),
      late(alice.interim(HOUR + 60, 1_200), 60_000),
      quick.interim(60, 10),
      late(alice.stop(HOUR + 70, 1_300), 120_000),
    ],
    effects: ["created", "new-generation", "updated", "updated", "closed"],
    usage: [1_310, 1_310, HOUR + 70 + 60],
    sessions: [
      { ...stopped, uploadOctets: 1_300 },
      { open: true, uploadOctets: 10 },
    ],
  },
  {
    name: "a Start after the Stop, with the same Acct-Session-Id, is a new acct session",
    records: [alice.start(), alice.stop(5, 30), after.start(), after.interim(60, 10)],
    effects: ["created", "closed", "new-generation", "updated"],
    usage: [40, 40, 65],
    sessions: [stopped, { open: true, generation: 1 }],
  },
  {
    name: "an Interim of an acct session that began after the Stop is of a new one, though its time is greater",
    records: [alice.stop(60, 30), after.interim(600, 10)],
    effects: ["closed", "new-generation"],
    usage: [40, 40, 660],
    sessions: [stopped, { open: true, generation: 1 }],
  },
  {
    name: "a second Start is a new acct session, a copy of the Start is not",
    records: [alice.start(), late(alice.start(), 20_000), after.start()],
    effects: ["created", "duplicate", "new-generation"],
    usage: [0, 0, 0],
    sessions: [{ generation: 0 }, { generation: 1 }],
  },
  {
    name: "a NAS whose clock fell back with the reboot: the arrivals tell",
    records: [alice.interim(HOUR, 1_000), slow(lagging.start()), slow(lagging.interim(60, 10))],
    effects: ["created", "new-generation", "updated"],
    usage: [1_010, 1_010, HOUR + 60],
    sessions: [{ generation: 0 }, { generation: 1, uploadOctets: 10 }],
  },
  {
    name: "a NAS whose clock fell back with the reboot and is put right by half",
    records: [
      alice.interim(HOUR, 1_000),
      slow(lagging.start()),
      slow(lagging.interim(120, 10, { eventAtMs: NOON_MS + (HOUR / 2) * 1_000 })),
    ],
    effects: ["created", "new-generation", "updated"],
    usage: [1_010, 1_010, HOUR + 120],
    sessions: [{ generation: 0 }, { generation: 1, uploadOctets: 10 }],
  },
  {
    name: "a record of an acct session that began and ended many reboots ago is ignored",
    records: [
      ...[0, 1, 2, 3, 4, 5, 6].map((boot) => rebooted(boot).interim(300 - 30 * boot, 10)),
      late(rebooted(-1).interim(400, 500), HOUR * 1_000),
      late(rebooted(3).interim(220, 11), HOUR * 1_000),
    ],
    effects: ["created", ...Array.from({ length: 6 }, () => "new-generation"), "ignored", "updated"],
    usage: [71, 71, 7 * 210 + 10],
    sessions: [0, 1, 2, 3, 4, 5, 6].map((generation) => ({ generation, uploadOctets: generation === 3 ? 11 : 10 })),
  },
  {
    name: "a first record that was late itself does not send the next ones to the old acct session",
    records: [timeless(alice.interim(HOUR, 1_000)), timeless(after.start(), 50_000), timeless(after.interim(60, 10))],
    effects: ["created", "new-generation", "updated"],
    usage: [1_010, 1_010, HOUR + 60],
    sessions: [{ uploadOctets: 1_000 }, { uploadOctets: 10, startedAtMs: after.startedAtMs }],
  },
];

const CLOSING: readonly Row[] = [
  {
    name: "an acct session closed as stale re-opens",
    records: [alice.interim(60, 100), { close: "stale", atMs: NOON_MS + HOUR * 1_000 }, alice.interim(2 * HOUR, 300)],
    effects: ["created", "reopened"],
    usage: [300, 300, 2 * HOUR],
    sessions: [{ open: true, closeCause: undefined, closedAtMs: undefined }],
  },
  {
    name: "one closed as stale re-opens for a record that was kept back by the NAS",
    records: [
      alice.interim(60, 100),
      { close: "stale", atMs: NOON_MS + HOUR * 1_000 },
      late(alice.interim(120, 300), 2 * HOUR * 1_000),
    ],
    effects: ["created", "reopened"],
    usage: [300, 300, 120],
    sessions: [{ open: true }],
  },
  {
    name: "one closed as stale does not re-open for a copy of what was known",
    records: [
      alice.interim(60, 100),
      { close: "stale", atMs: NOON_MS + HOUR * 1_000 },
      late(alice.interim(60, 100), 2 * HOUR * 1_000),
    ],
    effects: ["created", "duplicate"],
    usage: [100, 100, 60],
    sessions: [{ open: false, closeCause: "stale" }],
  },
  {
    name: "one closed as stale is closed for good by its Stop",
    records: [alice.interim(60, 100), { close: "stale", atMs: NOON_MS + HOUR * 1_000 }, alice.stop(90, 110)],
    effects: ["created", "closed"],
    usage: [110, 110, 90],
    sessions: [{ ...stopped, closedAtMs: NOON_MS + 90_000 }],
  },
  {
    name: "one that the NAS did not know any more (503) stays closed for a record written before",
    records: [
      alice.interim(60, 100),
      { close: "unknown-to-nas", atMs: NOON_MS + 130_000 },
      late(alice.interim(120, 150), 20_000),
    ],
    effects: ["created", "updated"],
    usage: [150, 150, 120],
    sessions: [{ open: false, closeCause: "unknown-to-nas" }],
  },
  {
    name: "one that the NAS did not know any more re-opens when the NAS knows it again",
    records: [alice.interim(60, 100), { close: "unknown-to-nas", atMs: NOON_MS + 90_000 }, alice.interim(120, 150)],
    effects: ["created", "reopened"],
    usage: [150, 150, 120],
    sessions: [{ open: true }],
  },
];

const TIMES: readonly Row[] = [
  {
    name: "UL-20 Event-Timestamp counts as given, whatever Acct-Delay-Time says",
    records: [alice.interim(60, 100, { arrivedAtMs: NOON_MS + 600_000, delaySeconds: 540 })],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ startedAtMs: NOON_MS, countedAtMs: NOON_MS + 60_000, heardAtMs: NOON_MS + 600_000 }],
  },
  {
    name: "Event-Timestamp 5 min ahead is believed",
    records: [alice.interim(60, 100, { arrivedAtMs: NOON_MS, eventAtMs: NOON_MS + 5 * MINUTE_MS })],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS + 5 * MINUTE_MS }],
  },
  {
    name: "Event-Timestamp more than 5 min ahead is replaced by the arrival",
    records: [alice.interim(60, 100, { arrivedAtMs: NOON_MS, eventAtMs: NOON_MS + 5 * MINUTE_MS + 1 })],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS, startedAtMs: NOON_MS - 60_000 }],
  },
  {
    name: "Event-Timestamp 24 h behind is believed",
    records: [alice.interim(60, 100, { arrivedAtMs: NOON_MS, eventAtMs: NOON_MS - DAY_MS })],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS - DAY_MS }],
  },
  {
    name: "Event-Timestamp more than 24 h behind is replaced by the arrival",
    records: [alice.interim(60, 100, { arrivedAtMs: NOON_MS, eventAtMs: NOON_MS - DAY_MS - 1, delaySeconds: 30 })],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS, startedAtMs: NOON_MS - 60_000 }],
  },
  {
    name: "without Event-Timestamp it is the arrival less Acct-Delay-Time",
    records: [timeless(alice.interim(60, 100), 20_000, 20)],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS + 60_000, startedAtMs: NOON_MS }],
  },
  {
    name: "without Event-Timestamp an Acct-Delay-Time beyond belief is 24 h",
    records: [timeless(alice.interim(60, 100), 0, 4_294_967_295)],
    effects: ["created"],
    usage: [100, 100, 60],
    sessions: [{ countedAtMs: NOON_MS + 60_000 - DAY_MS }],
  },
];

describe("accounting rules: periods", () => {
  it("a difference belongs to the time between two records, split at the boundary", () => {
    const reduced = new ReducedSessions();
    const maker = new RecordMaker({ startedAtMs: NOON_MS + (12 * HOUR - 100) * 1_000 });
    for (const record of [maker.start(), maker.interim(50, 1_000), maker.interim(150, 1_100), maker.stop(200, 1_107)]) {
      reduced.apply(record);
    }
    expect(reduced.usage("alice", "day/2026-11-22")).toEqual([1_050, 1_050, 100]);
    expect(reduced.usage("alice", "day/2026-11-23")).toEqual([57, 57, 100]);
  });

  it("what was used before the first record that came lies before it", () => {
    const reduced = new ReducedSessions();
    reduced.apply(new RecordMaker({ startedAtMs: NOON_MS + 11 * HOUR * 1_000 }).interim(3 * HOUR, 300));
    expect(reduced.usage("alice", "day/2026-11-22")).toEqual([100, 100, HOUR]);
    expect(reduced.usage("alice", "day/2026-11-23")).toEqual([200, 200, 2 * HOUR]);
  });
});

describe.each([
  ["order and duplicates", ORDER],
  ["counters", COUNTERS],
  ["new acct sessions under an old Acct-Session-Id", GENERATIONS],
  ["closing and re-opening", CLOSING],
  ["clocks", TIMES],
])("accounting rules: %s", (_, rows) => {
  it.each(rows)("$name", ({ records, effects, usage, sessions }) => {
    const reduced = new ReducedSessions();
    const seen: string[] = [];
    for (const step of records) {
      if ("close" in step) reduced.close("nas-1/0001", step.atMs, step.close);
      else seen.push(reduced.apply(step));
    }
    expect(seen).toEqual(effects);
    expect(reduced.usage("alice")).toEqual(usage);
    expect(reduced.all).toMatchObject(sessions);
    expect(reduced.all).toHaveLength(sessions.length);
  });

  it.each(rows.filter(({ records }) => records.every((record) => !("close" in record))))(
    "all over again counts nothing twice: $name",
    ({ records, usage, sessions }) => {
      const reduced = new ReducedSessions();
      for (const record of [...records, ...records]) reduced.apply(record as AccountingRecord);
      // Where a NAS tells neither the time nor Acct-Session-Time, nothing tells records of before a reboot from new ones.
      if (records.some((record) => "kind" in record && isVague(record))) return;
      expect(reduced.usage("alice")).toEqual(usage);
      expect(reduced.all).toHaveLength(sessions.length);
    },
  );
});
