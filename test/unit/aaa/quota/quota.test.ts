import { describe, expect, it } from "vitest";
import { storeError } from "../../../../src/store/store-error.ts";
import {
  acknowledge,
  asked,
  DISCONNECT_100,
  errorCause,
  QuotaRig,
  quotaOptions,
  quotaRule,
  replyTo,
  silence,
  THROTTLE_80,
} from "../../../support/quota-rig.ts";
import { planRecord, userRecord } from "../../../support/user-records.ts";

const DAY_MS = 86_400_000;

describe("Quota thresholds (issue 5, section 4)", () => {
  it("throttles by CoA at 80 % and disconnects at 100 %, each once however many records come", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("start", "bob", router);
    await rig.account("interim", "bob", router, { octets: 799 });
    await rig.settled();
    expect(asked(router)).toEqual([]);
    for (const octets of [800, 850, 990]) {
      rig.clock.advance(60_000);
      await rig.account("interim", "bob", router, { octets, seconds: octets });
      await rig.settled();
    }
    expect(asked(router)).toEqual(["CoA bob 1M/1M"]);
    for (const octets of [1_000, 1_200]) {
      rig.clock.advance(60_000);
      await rig.account("interim", "bob", router, { octets, seconds: 2 * octets });
      await rig.settled();
    }
    expect(asked(router)).toEqual(["CoA bob 1M/1M", "Disconnect bob"]);
    expect(rig.reached).toEqual(["daily 80 day/2026-11-22", "daily 100 day/2026-11-22"]);
    expect(rig.acted).toEqual(["throttle ack done", "disconnect ack done"]);
    expect(rig.eventsOf("exchange.ended").map(({ trigger }) => trigger)).toEqual(["quota", "quota"]);
    expect(rig.faults).toEqual([]);
  });

  it("disconnects a user who reconnects at Start, and again the next time", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("start", "bob", router);
    await rig.account("interim", "bob", router, { octets: 1_500 });
    await rig.settled();
    await rig.account("stop", "bob", router, { octets: 1_500 });
    for (const acctSessionId of ["2", "3"]) {
      rig.clock.advance(10_000);
      await rig.account("start", "bob", router, { acctSessionId });
      await rig.settled();
      await rig.account("stop", "bob", router, { acctSessionId, seconds: 1 });
      await rig.settled();
    }
    expect(asked(router)).toEqual(["Disconnect bob", "Disconnect bob", "Disconnect bob"]);
    expect(rig.reached).toHaveLength(2);
  });

  it("counts all acct sessions of a user and acts on all of them, on three routers", async () => {
    const rig = await QuotaRig.start();
    const routers = ["r1", "r2", "r3"].map((name) => rig.router(name));
    for (const router of routers) await rig.account("start", "bob", router);
    await rig.account("start", "alice", routers[0] as never, { acctSessionId: "9" });
    for (const router of routers) await rig.account("interim", "bob", router, { octets: 340 });
    await rig.settled();
    expect(routers.map((router) => asked(router).at(-1))).toEqual(Array(3).fill("Disconnect bob"));
    expect(rig.reached.at(-1)).toBe("daily 100 day/2026-11-22");
  });

  it("looks at a Stop too: it acts on the acct sessions that are left", async () => {
    const rig = await QuotaRig.start();
    const [one, two] = [rig.router("r1"), rig.router("r2")];
    await rig.account("start", "bob", one);
    await rig.account("start", "bob", two);
    await rig.account("stop", "bob", one, { octets: 1_000 });
    await rig.settled();
    expect([asked(one), asked(two)]).toEqual([[], ["Disconnect bob"]]);
  });

  it("reports the overshoot between two interims: what was used beyond the amount when it acted", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 1_700 });
    await rig.settled();
    expect(rig.eventsOf("quota.acted")[0]).toMatchObject({
      action: "disconnect",
      used: 1_700,
      amount: 1_000,
      overshoot: 700,
    });
  });

  it("notifies once per threshold and period, and again in the next period", async () => {
    const rig = await QuotaRig.start(
      quotaOptions({ rules: [quotaRule({ thresholds: [{ percent: 50, notify: true, action: undefined }] })] }),
    );
    const router = rig.router("r1");
    for (const octets of [600, 700]) {
      rig.clock.advance(60_000);
      await rig.account("interim", "bob", router, { octets, seconds: octets });
      await rig.settled();
    }
    rig.clock.advance(DAY_MS);
    await rig.account("start", "bob", router, { acctSessionId: "2" });
    rig.clock.advance(100_000);
    await rig.account("interim", "bob", router, { acctSessionId: "2", octets: 500, seconds: 100 });
    await rig.settled();
    expect(rig.reached).toEqual(["daily 50 day/2026-11-22", "daily 50 day/2026-11-23"]);
    expect(asked(router)).toEqual([]);
  });

  it("acts on acct sessions of the routers that a rule names, and on no others", async () => {
    const rule = quotaRule({ match: { nas: ["peer of r2"] }, thresholds: [DISCONNECT_100] });
    const rig = await QuotaRig.start(quotaOptions({ rules: [rule] }));
    const [one, two] = [rig.router("r1"), rig.router("r2")];
    await rig.account("start", "bob", one);
    await rig.account("start", "bob", two);
    await rig.account("interim", "bob", one, { octets: 900 });
    await rig.account("interim", "bob", two, { octets: 100 });
    await rig.settled();
    expect([asked(one), asked(two)]).toEqual([[], ["Disconnect bob"]]);
  });

  it("goes by the plan that the store has for a user, as its rule is named there", async () => {
    const rules = [quotaRule({ name: "gold", match: { plans: [] }, amount: 5_000 }), quotaRule({ name: "basic" })];
    const rig = await QuotaRig.start(quotaOptions({ rules }));
    await rig.store.plans.put(planRecord("premium", { quotaRules: ["gold"] }));
    await rig.store.users.put(userRecord("bob", { plan: "premium" }));
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 2_000 });
    await rig.account("interim", "eve", router, { octets: 2_000, acctSessionId: "2" });
    await rig.settled();
    expect(asked(router)).toEqual(["Disconnect eve"]);
  });
});

describe("Quota actions and what becomes of them", () => {
  it.each([
    { name: "NAK", answer: replyTo(42, errorCause(506)), outcome: "nak" },
    { name: "silence", answer: silence, outcome: "timeout" },
  ])("repeats with back-off after $name, and gives up after attemptsMax", async ({ answer, outcome }) => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1", { answer });
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await rig.settled();
    expect(router.sent).toHaveLength(1);
    rig.clock.advance(1_000); // back-off: 2.5 to 5 s
    await rig.settled();
    await rig.account("interim", "bob", router, { octets: 1_001, seconds: 61 });
    await rig.settled();
    expect(router.sent).toHaveLength(1);
    for (let second = 0; second < 60 && router.sent.length < 3; second += 1) {
      rig.clock.advance(1_000);
      await rig.settled();
    }
    expect(rig.acted).toEqual([
      `disconnect ${outcome} again`,
      `disconnect ${outcome} again`,
      `disconnect ${outcome} given-up`,
    ]);
    rig.clock.advance(600_000);
    await rig.settled();
    expect(router.sent).toHaveLength(3);
  });

  it("ends repeating once the router acknowledges", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1", { answer: silence });
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await rig.settled();
    router.answer = acknowledge;
    for (let second = 0; second < 30; second += 1) {
      rig.clock.advance(1_000);
      await rig.settled();
    }
    expect(rig.acted).toEqual(["disconnect timeout again", "disconnect ack done"]);
  });

  it("closes the record of an acct session that the router does not know (503), and is done", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1", { answer: replyTo(42, errorCause(503)) });
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await rig.settled();
    expect(rig.acted).toEqual(["disconnect nak done"]);
    expect(rig.closed.map(({ open, closeCause }) => [open, closeCause])).toEqual([[false, "unknown-to-nas"]]);
    expect(await rig.store.acctSessions.countOpen()).toBe(0);
  });

  it("goes down the link that the record came on", async () => {
    const rig = await QuotaRig.start();
    const links = ["l1", "l2", "l3"].map((linkId) => rig.router(linkId, { peerKey: "one router" }));
    await rig.account("interim", "bob", links[1] as never, { octets: 1_000 });
    await rig.settled();
    expect(links.map((link) => link.sent.length)).toEqual([0, 1, 0]);
  });

  it("takes another link of the NAS when that one is gone, and no other NAS", async () => {
    const rig = await QuotaRig.start();
    const [first, second] = ["l1", "l2"].map((linkId) => rig.router(linkId, { peerKey: "one router" }));
    const other = rig.router("l3");
    rig.drop(first as never);
    await rig.account("interim", "bob", first as never, { octets: 1_000 });
    await rig.settled();
    expect([second?.sent.length, other.sent.length]).toEqual([1, 0]);
  });

  it("is kept for the next interim when the NAS has no way at all, however long that takes", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("l1", { peerKey: "one router" });
    rig.drop(router);
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await rig.settled();
    expect(rig.acted).toEqual(["disconnect no-route waits"]);
    rig.clock.advance(300_000);
    await rig.settled();
    const back = rig.router("l2", { peerKey: "one router" });
    await rig.account("interim", "bob", back, { octets: 1_100, seconds: 360 });
    await rig.settled();
    expect(asked(back)).toEqual(["Disconnect bob"]);
  });

  it("sends again what a hub had begun and did not live to end", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1", { answer: () => new Promise(() => undefined) });
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await expect.poll(() => router.sent.length).toBe(1);
    const [action] = await rig.store.quota.actions("bob");
    expect(action).toMatchObject({ state: "due", attempts: 0, dueAtMs: rig.clock.wallMs() + 120_000 });
    // The next hub, on the same store.
    const next = await QuotaRig.start(quotaOptions(), rig.store);
    const again = next.router("r1");
    await next.pass(121_000);
    expect(asked(again)).toEqual(["Disconnect bob"]);
  });
});

describe("Quota undone", () => {
  it("takes the throttle back when the quota is raised, and announces the threshold once more when it is reached again", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 900 });
    await rig.settled();
    const limits = [{ rule: "daily", amount: 2_000 }];
    await rig.store.quota.putOverride({ username: "bob", limits, note: undefined, setAtMs: 0, setBy: "test" });
    rig.quota.userChanged("bob");
    await rig.settled();
    expect(asked(router)).toEqual(["CoA bob 1M/1M", "CoA bob 50M/50M"]);
    rig.clock.advance(60_000);
    await rig.account("interim", "bob", router, { octets: 1_600, seconds: 120 });
    await rig.settled();
    expect(asked(router)).toEqual(["CoA bob 1M/1M", "CoA bob 50M/50M", "CoA bob 1M/1M"]);
    expect(rig.reached).toEqual(["daily 80 day/2026-11-22", "daily 80 day/2026-11-22"]);
    expect(rig.acted).toEqual(["throttle ack done", "un-throttle ack done", "throttle ack done"]);
  });

  it("takes it back when a new period begins, without any record", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 900 });
    await rig.settled();
    await rig.pass(DAY_MS / 2);
    expect(asked(router)).toEqual(["CoA bob 1M/1M"]);
    await rig.pass(DAY_MS / 12); // from 10:00 it is 14 hours to midnight
    expect(asked(router)).toEqual(["CoA bob 1M/1M", "CoA bob 50M/50M"]);
  });

  it("repeats the un-throttle with back-off too", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 900 });
    await rig.settled();
    router.answer = silence;
    await rig.store.quota.putOverride({
      username: "bob",
      limits: [{ rule: "daily", amount: undefined }],
      note: undefined,
      setAtMs: 0,
      setBy: "test",
    });
    rig.quota.userChanged("bob");
    await rig.settled();
    router.answer = acknowledge;
    for (let second = 0; second < 10; second += 1) {
      rig.clock.advance(1_000);
      await rig.settled();
    }
    expect(rig.acted).toEqual(["throttle ack done", "un-throttle timeout again", "un-throttle ack done"]);
  });

  it("leaves a stronger throttle in force: at 90 % another one replaces that of 80 %, and only it is undone", async () => {
    const stronger = {
      percent: 90,
      notify: false,
      action: {
        kind: "throttle",
        attributes: [{ name: "Mikrotik-Rate-Limit", value: "64k/64k" }],
        undo: [{ name: "Mikrotik-Rate-Limit", value: "50M/50M" }],
      },
    } as const;
    const rig = await QuotaRig.start(quotaOptions({ rules: [quotaRule({ thresholds: [THROTTLE_80, stronger] })] }));
    const router = rig.router("r1");
    await rig.account("interim", "bob", router, { octets: 850 });
    await rig.settled();
    await rig.account("interim", "bob", router, { octets: 950, seconds: 61 });
    await rig.settled();
    await rig.pass(DAY_MS);
    expect(asked(router)).toEqual(["CoA bob 1M/1M", "CoA bob 64k/64k", "CoA bob 50M/50M"]);
  });
});

describe("Quota on two nodes with one store", () => {
  it("announces and acts once, also where one node does not know yet what the other did", async () => {
    const here = await QuotaRig.start();
    const there = await QuotaRig.start(quotaOptions(), here.store);
    const [one, two] = [here, there].map((rig) => rig.router("l1", { peerKey: "one router" }));
    for (const [rig, link] of [[here, one] as const, [there, two] as const]) {
      await rig.account("interim", "bob", link as never, { octets: 100 });
      await rig.settled();
    }
    await here.account("interim", "bob", one as never, { octets: 1_000, seconds: 61 });
    await here.settled();
    await there.account("interim", "bob", two as never, { octets: 1_001, seconds: 62 });
    await there.settled();
    expect([here.reached.length, there.reached.length]).toEqual([2, 0]);
    expect([asked(one as never), asked(two as never)]).toEqual([["Disconnect bob"], []]);
  });
});

describe("Quota bounds", () => {
  it("drops an evaluation while the store refuses, and makes it up with the next record", async () => {
    const rig = await QuotaRig.start();
    const router = rig.router("r1");
    await rig.account("start", "bob", router);
    await rig.settled();
    const { usage } = rig.store;
    const totals = usage.totals.bind(usage);
    Object.assign(usage, { totals: () => Promise.reject(storeError("down", "the disk is gone")) });
    await rig.account("interim", "bob", router, { octets: 1_000 });
    await rig.settled();
    expect(asked(router)).toEqual([]);
    expect(rig.quota.load.dropped).toBe(1);
    expect(rig.eventsOf("work.dropped")).toMatchObject([{ work: "quota", count: 1 }]);
    Object.assign(usage, { totals });
    await rig.account("interim", "bob", router, { octets: 1_001, seconds: 61 });
    await rig.settled();
    expect(asked(router)).toEqual(["Disconnect bob"]);
  });
});
