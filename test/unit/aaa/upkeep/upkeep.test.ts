import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AbsentNases } from "../../../../src/aaa/upkeep/absent-nases.ts";
import { DropReport } from "../../../../src/aaa/upkeep/drop-report.ts";
import type { UpkeepOptions } from "../../../../src/aaa/upkeep/options.ts";
import { Upkeep } from "../../../../src/aaa/upkeep/upkeep.ts";
import { EventFeed, type HubEvent } from "../../../../src/events.ts";
import type { AcctSession } from "../../../../src/store/acct-session.ts";
import { SqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import { FakeLink } from "../../../support/fake-link.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const MINUTE_MS = 60_000;
const OPTIONS: UpkeepOptions = {
  sweepMs: 30_000,
  nasGoneMs: 30 * MINUTE_MS,
  retention: {
    intervalMs: 10 * MINUTE_MS,
    acctSessionsMs: 60 * MINUTE_MS,
    auditMs: MINUTE_MS,
    deadLettersMs: MINUTE_MS,
  },
};

async function rig(options: UpkeepOptions = OPTIONS) {
  const clock = new ManualClock();
  const store = new SqliteStore({ clock }, { file: ":memory:" });
  store.start();
  await vi.waitUntil(() => store.health.state === "up", { timeout: 10_000, interval: 5 });
  const closed: AcctSession[] = [];
  const faults: unknown[] = [];
  const present = new Set<string>();
  const upkeep = new Upkeep(
    {
      clock,
      store,
      isPresent: (peerKey) => present.has(peerKey),
      closed: (acctSession) => closed.push(acctSession),
      onFault: (error) => faults.push(error),
    },
    options,
  );
  upkeep.start();
  onTestFinished(async () => {
    await upkeep.stop();
    await store.stop();
    expect(faults).toEqual([]);
  });
  const account = async (
    kind: "start" | "interim" | "stop",
    acctSessionId: string,
    link: FakeLink,
    staleAfterMs = 15 * MINUTE_MS,
  ) => {
    const atMs = clock.wallMs();
    const facts = { nasIdentifier: link.peerKey, peerKey: link.peerKey };
    const common = { nasKey: link.peerKey, arrivedAtMs: atMs, eventAtMs: atMs, username: "bob", staleAfterMs, facts };
    const record = { ...common, kind, acctSessionId };
    const [result] = await store.acctSessions.record([record]);
    if (result !== undefined) upkeep.recorded({ record, result, link });
  };
  /** Time passes in steps of a sweep, each sweep ended before the next begins. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += options.sweepMs) {
      clock.advance(options.sweepMs);
      for (let turn = 0; turn < 4; turn += 1) {
        await store.acctSessions.countOpen();
        await new Promise((resolve) => setImmediate(resolve));
      }
    }
  };
  const causes = () => closed.map(({ acctSessionId, closeCause }) => `${acctSessionId} ${closeCause}`);
  return { clock, store, present, upkeep, account, pass, causes };
}

describe("Upkeep", () => {
  it("closes an acct session without a record for too long, with the cause stale, and no other", async () => {
    const { account, present, pass, causes } = await rig();
    const link = new FakeLink({ linkId: "l1", peerKey: "ap-1" });
    present.add("ap-1");
    await account("start", "silent", link);
    await account("start", "patient", link, 60 * MINUTE_MS);
    await pass(14 * MINUTE_MS);
    expect(causes()).toEqual([]);
    await pass(2 * MINUTE_MS);
    expect(causes()).toEqual(["silent stale"]);
  });

  it("closes the acct sessions of a NAS that has had no link for nasGoneMs, with the cause nas-gone", async () => {
    const { account, present, pass, causes } = await rig();
    const [gone, here] = ["ap-1", "ap-2"].map((peerKey) => new FakeLink({ linkId: peerKey, peerKey })) as [
      FakeLink,
      FakeLink,
    ];
    present.add("ap-1").add("ap-2");
    await account("start", "1", gone, 999 * MINUTE_MS);
    await account("start", "2", here, 999 * MINUTE_MS);
    await pass(5 * MINUTE_MS);
    present.delete("ap-1");
    await pass(29 * MINUTE_MS);
    expect(causes()).toEqual([]);
    await pass(3 * MINUTE_MS);
    expect(causes()).toEqual(["1 nas-gone"]);
  });

  it("does not begin to count before a NAS has been gone, and begins anew when it comes back", async () => {
    const { account, present, pass, causes } = await rig();
    const link = new FakeLink({ linkId: "l1", peerKey: "ap-1" });
    await account("start", "1", link, 999 * MINUTE_MS);
    await pass(20 * MINUTE_MS);
    present.add("ap-1");
    await pass(MINUTE_MS);
    present.delete("ap-1");
    await pass(20 * MINUTE_MS);
    expect(causes()).toEqual([]);
  });

  it("forgets closed acct sessions, audit entries and dead letters after their time", async () => {
    const { account, clock, pass, store } = await rig();
    const link = new FakeLink({ linkId: "l1", peerKey: "ap-1" });
    await account("start", "1", link);
    await account("stop", "1", link);
    const message = { messageId: "m1", target: "t", topic: "x", body: "{}", createdAtMs: 0, dueAtMs: 0 };
    await store.outbox.put([message]);
    await store.outbox.bury("m1", clock.wallMs(), "dead");
    await pass(50 * MINUTE_MS);
    expect(await store.acctSessions.one("ap-1/1")).toBeDefined();
    expect(await store.outbox.counts()).toEqual({ waiting: 0, dead: 0 });
    await pass(30 * MINUTE_MS);
    expect(await store.acctSessions.one("ap-1/1")).toBeUndefined();
  });

  it("works in steps until all is done, also when there is more than one step takes", async () => {
    const { clock, pass, store } = await rig();
    const atMs = clock.wallMs();
    const entry = { atMs, code: 40, trigger: "test", caller: undefined, requestId: undefined, nas: undefined };
    const ended = { linkId: undefined, username: undefined, acctSessionKey: undefined, outcome: "ack" };
    const reply = {
      why: undefined,
      replyCode: 41,
      errorCause: undefined,
      mayHaveActed: false,
      attempts: 1,
      durationMs: 1,
    };
    await store.audit.append(
      Array.from({ length: 450 }, (_, n) => ({ exchangeId: `x${n}`, ...entry, ...ended, ...reply })),
    );
    await pass(12 * MINUTE_MS);
    await expect.poll(async () => (await store.audit.find({}, { limit: 1 })).items).toEqual([]);
  });
});

describe("AbsentNases", () => {
  it("look() looks at no more than it is told, and at each in turn", () => {
    const asked: string[] = [];
    const nases = new AbsentNases((peerKey) => {
      asked.push(peerKey);
      return true;
    });
    for (const name of ["a", "b", "c"]) nases.heard(name, name);
    for (let turn = 0; turn < 3; turn += 1) expect(nases.look(0, 1, 2)).toEqual([]);
    expect(asked).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("watches at most 100,000, and forgets the oldest", () => {
    const nases = new AbsentNases(() => false);
    for (let n = 0; n <= 100_000; n += 1) nases.heard(`nas-${n}`, "p");
    expect(nases.size).toBe(100_000);
    nases.look(0, 10, 100_000);
    expect(nases.look(10, 10, 1)).toEqual([{ nasKey: "nas-1", sinceMs: 0 }]);
  });
});

describe("DropReport", () => {
  it("tells at once, and then at most once a minute with the number", () => {
    const clock = new ManualClock();
    const seen: HubEvent[] = [];
    const events = new EventFeed(() => undefined);
    events.subscribe((event) => seen.push(event));
    const report = new DropReport({ clock, events }, "quota");
    for (let n = 0; n < 10; n += 1) report.count("too many");
    clock.advance(MINUTE_MS);
    report.count("too many");
    expect(seen.map((event) => (event.type === "work.dropped" ? event.count : 0))).toEqual([1, 10]);
    expect(report.total).toBe(11);
  });
});
