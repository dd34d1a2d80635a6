import { describe, expect, it } from "vitest";
import { NOON_MS, RecordMaker } from "../../support/accounting-records.ts";
import {
  DAY_MS,
  HOUR,
  late,
  MINUTE_MS,
  stopped,
  theseHold,
  timeless,
  type Row,
} from "../../support/accounting-rows.ts";
import { ReducedSessions } from "../../support/reduced-sessions.ts";

const alice = new RecordMaker();

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
  {
    name: "one that its Stop has closed re-opens for an interim of an API that says so, and counts on",
    records: [alice.interim(60, 100), alice.stop(90, 110), { ...alice.interim(120, 150), reopens: true }],
    effects: ["created", "closed", "reopened"],
    usage: [150, 150, 120],
    sessions: [{ open: true, closeCause: undefined, closedAtMs: undefined, terminateCause: undefined }],
  },
  {
    name: "such an interim that tells no more than the Stop re-opens it too",
    records: [alice.stop(90, 110), { ...alice.interim(90, 110), reopens: true }],
    effects: ["closed", "reopened"],
    usage: [110, 110, 90],
    sessions: [{ open: true }],
  },
  {
    name: "such an interim that the Stop has overtaken does not",
    records: [alice.stop(90, 110), { ...alice.interim(60, 100), reopens: true }],
    effects: ["closed", "ignored"],
    usage: [110, 110, 90],
    sessions: [{ ...stopped }],
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
  ["closing and re-opening", CLOSING],
  ["clocks", TIMES],
])("accounting rules: %s", (_, rows) => theseHold(rows));
