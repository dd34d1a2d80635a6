import { describe } from "vitest";
import type { AccountingRecord } from "../../../src/store/accounting-record.ts";
import { NOON_MS, nasRecord, RecordMaker } from "../../support/accounting-records.ts";
import { HOUR, late, stopped, theseHold, timeless, type Row } from "../../support/accounting-rows.ts";

const alice = new RecordMaker();

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

describe.each([["new acct sessions under an old Acct-Session-Id", GENERATIONS]])("accounting rules: %s", (_, rows) =>
  theseHold(rows),
);
