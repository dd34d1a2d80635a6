import { describe, expect, it } from "vitest";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { configOf, FILES, load } from "./load.ts";
import { expectMistake, type Mistake } from "./mistake.ts";

const STORE: readonly Mistake[] = [
  { name: "a number", yaml: "store: 5", line: 1, key: "store", message: "must be a map" },
  { name: "no file", yaml: "store: { url: '' }", line: 1, key: "store.url", message: "must not be empty" },
  ...["memory:", "postgres://db/hub", "mongo://db/hub"].map((url) => ({
    name: `a store that there is not: ${url}`,
    yaml: `store: { url: "${url}" }`,
    line: 1,
    key: "store.url",
    message: "must be a file or mongodb://",
  })),
  {
    name: "an unknown word",
    yaml: "store: { synchronous: off }",
    line: 1,
    key: "store.synchronous",
    message: "full, normal",
  },
  { name: "a key that may be meant", yaml: "store: { uri: a.db }", line: 1, key: "store.uri", message: "unknown key" },
];

const ACCOUNTING: readonly Mistake[] = [
  {
    name: "interims every second",
    yaml: "accounting: { interval: 1s }",
    line: 1,
    key: "accounting.interval",
    message: "at least 10s",
  },
  {
    name: "stale after one interval, in which a record may be late",
    yaml: "accounting: { missed: 1 }",
    line: 1,
    key: "accounting.missed",
    message: "at least 2",
  },
  {
    name: "sessions that nobody can look up",
    yaml: "accounting:\n  retention: { sessions: 1m }",
    line: 2,
    key: "accounting.retention.sessions",
    message: "at least 1h",
  },
];

const THRESHOLD = "thresholds: [{ percent: 100 }]";
const quota = (keys: string, thresholds = THRESHOLD) =>
  `quota:\n  rules:\n    - { name: a, ${keys}${keys === "" ? "" : ", "}${thresholds} }`;
const RULE = "quota.rules[0]";
const QUOTA: readonly Mistake[] = [
  {
    name: "an unknown time zone",
    yaml: "quota: { timeZone: Europe/Atlantis }",
    line: 1,
    key: "quota.timeZone",
    message: "not a time zone",
  },
  { name: "an amount without unit", yaml: quota("amount: '50'"), line: 3, key: `${RULE}.amount`, message: '"50GB"' },
  { name: "an unknown unit", yaml: quota("amount: 50Gb"), line: 3, key: `${RULE}.amount`, message: '"50GB"' },
  {
    name: "octets of time",
    yaml: quota("counts: time, amount: 50GB"),
    line: 3,
    key: `${RULE}.amount`,
    message: "must be a time",
  },
  { name: "a time of octets", yaml: quota("amount: 30h"), line: 3, key: `${RULE}.amount`, message: "must be octets" },
  {
    name: "no threshold",
    yaml: quota("", "thresholds: []"),
    line: 3,
    key: `${RULE}.thresholds`,
    message: "1 to 10 thresholds",
  },
  {
    name: "a threshold twice",
    yaml: quota("", "thresholds: [{ percent: 80 }, { percent: 80 }]"),
    line: 3,
    key: `${RULE}.thresholds[1].percent`,
    message: "stands there already",
  },
  {
    name: "a throttle of nothing",
    yaml: quota("", "thresholds: [{ percent: 80, action: throttle }]"),
    line: 3,
    key: `${RULE}.thresholds[0].attributes`,
    message: "required with action: throttle",
  },
  ...["attributes", "undo"].map((key) => ({
    name: `${key} of a disconnect`,
    yaml: quota("", `thresholds: [{ percent: 80, action: disconnect, ${key}: { Filter-Id: slow } }]`),
    line: 3,
    key: `${RULE}.thresholds[0].${key}`,
    message: "no meaning without action: throttle",
  })),
  {
    name: "the eighth day of a week",
    yaml: quota("period: week, startDay: 8"),
    line: 3,
    key: `${RULE}.startDay`,
    message: "1 (Monday) to 7",
  },
  {
    name: "more hours than are kept",
    yaml: quota("period: rolling, hours: 745"),
    line: 3,
    key: `${RULE}.hours`,
    message: "at most 744",
  },
  {
    name: "an endpoint that is no address",
    yaml: quota("verdict: { url: billing.example }"),
    line: 3,
    key: `${RULE}.verdict.url`,
    message: "http:// or https://",
  },
  {
    name: "a rule for no users",
    yaml: quota("match: { users: [] }"),
    line: 3,
    key: `${RULE}.match.users`,
    message: "empty list",
  },
  {
    name: "two rules of one name",
    yaml: `${quota("")}\n    - { name: a, ${THRESHOLD} }`,
    line: 4,
    key: "quota.rules[1].name",
    message: "duplicate rule name",
  },
];

const webhooks = (keys: string) => `webhooks:\n  - { name: a, ${keys} }`;
const TARGET = "url: 'https://billing.example', secret: a-secret";
const WEBHOOKS: readonly Mistake[] = [
  {
    name: "another scheme",
    yaml: webhooks("url: 'ftp://billing.example', secret: a-secret"),
    line: 2,
    key: "webhooks[0].url",
    message: "http:// or https://",
  },
  {
    name: "no secret",
    yaml: webhooks("url: 'https://billing.example'"),
    line: 2,
    key: "webhooks[0].secret",
    message: "required",
  },
  {
    name: "an unknown topic",
    yaml: webhooks(`${TARGET}, topics: [session.begun]`),
    line: 2,
    key: "webhooks[0].topics[0]",
    message: "session.started",
  },
  {
    name: "two targets of one name",
    yaml: `${webhooks(TARGET)}\n  - { name: a, ${TARGET} }`,
    line: 3,
    key: "webhooks[1].name",
    message: "duplicate target name",
  },
];

describe.each([
  ["store", STORE],
  ["accounting", ACCOUNTING],
  ["quota", QUOTA],
  ["webhooks", WEBHOOKS],
])("loadConfig() refuses: %s", (_, mistakes) => {
  it.each(mistakes)("$name", expectMistake);
});

describe("loadConfig()", () => {
  it.each([
    ["store: a.db", { kind: "sqlite", file: "a.db", synchronous: "full", backups: "var/backups" }],
    [
      "store: { url: a.db, synchronous: normal }",
      { kind: "sqlite", file: "a.db", synchronous: "normal", backups: "var/backups" },
    ],
    ["store: 'mongodb://db.example/hub'", { kind: "mongodb", url: "mongodb://db.example/hub" }],
    ["store:", { kind: "sqlite", file: "var/hub.db", synchronous: "full", backups: "var/backups" }],
  ])("reads %s", (yaml, store) => {
    expect(configOf(yaml).store).toEqual(store);
  });

  it.each([
    ["50GB", "both", 50_000_000_000],
    ["1.5KiB", "upload", 1_536],
    ["30h", "time", 108_000],
  ])("reads an amount of %s", (amount, counts, value) => {
    expect(configOf(quota(`counts: ${counts}, amount: ${amount}`)).quota.rules[0]).toMatchObject({ amount: value });
  });

  it("takes for a client that counts the right way round whoever does not say swapOctets", () => {
    const entry = "match: { san: { dns: a.example } }";
    const { clients } = configOf(`clients: [{ name: a, ${entry} }, { name: b, ${entry}, swapOctets: true }]`);
    expect(clients.map(({ swapOctets }) => swapOctets)).toEqual([false, true]);
  });
});

describe("loadConfig() with a dictionary", () => {
  const dictionary = Dictionary.load(new URL("../../../config/dictionaries", import.meta.url).pathname);
  const throttle = (attributes: string) =>
    load(
      `${quota("")}\n    - name: b\n      thresholds:\n        - percent: 80\n          action: throttle\n${attributes}`,
      {},
      FILES,
      { dictionary },
    );
  const ATTRIBUTES = "quota.rules[1].thresholds[0].attributes";

  it.each([
    ["Mikrotik-Rate-Limt: 1M/1M", `${ATTRIBUTES}.Mikrotik-Rate-Limt`, 'unknown attribute "Mikrotik-Rate-Limt"'],
    ["Session-Timeout: soon", `${ATTRIBUTES}.Session-Timeout`, "Session-Timeout takes an integer"],
    ["User-Password: geheim", `${ATTRIBUTES}.User-Password`, "User-Password takes octets that are hidden"],
    ["CHAP-Password: geheim", `${ATTRIBUTES}.CHAP-Password`, "does not belong into a CoA-Request"],
    ["Service-Type: Authorize-Only", `${ATTRIBUTES}.Service-Type`, "Authorize-Only needs State"],
  ])("says where a throttle has the mistake %s, and never its value", (attribute, key, message) => {
    const loaded = throttle(`          attributes:\n            Filter-Id: slow\n            ${attribute}`);
    expect(loaded).toMatchObject({ ok: false, problems: [{ file: "hub.yaml", line: 10, key }] });
    const [problem] = loaded.ok ? [] : loaded.problems;
    expect(problem?.message).toContain(message);
    expect(problem?.message).not.toMatch(/geheim|soon/);
  });

  it("says so of undo too, and takes what can be sent", () => {
    const set = "          attributes: { Mikrotik-Rate-Limit: 1M/1M }\n";
    expect(throttle(`${set}          undo: { Session-Timeout: -1 }`)).toMatchObject({
      ok: false,
      problems: [{ line: 9, key: "quota.rules[1].thresholds[0].undo.Session-Timeout" }],
    });
    expect(throttle(`${set}          undo: { Session-Timeout: 5, Attr-26.14988.8: 50M/50M }`)).toMatchObject({
      ok: true,
    });
  });
});
