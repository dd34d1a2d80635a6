import { describe } from "vitest";
import { NOON_MS, RecordMaker } from "../../support/accounting-records.ts";
import { G, late, stopped, theseHold, timeless, wide, type Row } from "../../support/accounting-rows.ts";

const alice = new RecordMaker();

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

describe.each([
  ["order and duplicates", ORDER],
  ["counters", COUNTERS],
])("accounting rules: %s", (_, rows) => theseHold(rows));
