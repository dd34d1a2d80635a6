import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import { PlanAttributes } from "../../../../src/aaa/plans/plan-attributes.ts";
import { updateSessions } from "../../../../src/aaa/users/update-sessions.ts";
import { knownUser } from "../../../../src/aaa/users/user-directory.ts";
import type { Outcome } from "../../../../src/dynauth/outcome.ts";
import { EventFeed } from "../../../../src/events.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { SqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import type { User } from "../../../../src/store/user-types.ts";
import { NOON_MS, RecordMaker } from "../../../support/accounting-records.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { userRecord } from "../../../support/user-records.ts";

let clock: ManualClock;
let store: SqliteStore;
/** Acct-Session-Ids by what their router was asked. */
let asked: { coa: string[]; disconnect: string[] };
let outcome: Partial<Outcome>;

beforeEach(async () => {
  clock = new ManualClock(NOON_MS);
  store = new SqliteStore({ clock }, { file: ":memory:" });
  store.start();
  await vi.waitUntil(() => store.health.state === "up", { timeout: 10_000, interval: 5 });
  onTestFinished(() => store.stop());
  asked = { coa: [], disconnect: [] };
  outcome = { kind: "ack" };
});

async function online(acctSessionId: string, username: string, startedAtMs = NOON_MS, callingStationId?: string) {
  const maker = new RecordMaker({ acctSessionId, username, startedAtMs });
  await store.acctSessions.record([maker.start({ facts: { callingStationId } })], "brief");
}

function update(user: User | undefined, username = user?.username ?? "alice", sinceMs?: number) {
  const exchange = ({ code, attributes }: { code: number; attributes: readonly { value: Buffer; type: number }[] }) => {
    const acctSessionId = attributes.find(({ type }) => type === 44)?.value.toString() ?? "";
    asked[code === 43 ? "coa" : "disconnect"].push(acctSessionId);
    return Promise.resolve([outcome as Outcome]);
  };
  return updateSessions(
    {
      clock,
      events: new EventFeed(() => undefined),
      dynauth: { exchange } as never,
      store,
      directory: {
        remembered: () => undefined,
        find: () => Promise.resolve(user && knownUser(user, undefined)),
      },
      attributes: new PlanAttributes({ encode: () => [textAttribute(11, "staff")] }, 120),
      vendorOf: () => "mikrotik",
      secondsLeft: () => Promise.resolve(undefined),
      closed: () => undefined,
      updated: () => undefined,
    },
    username,
    sinceMs,
  );
}

describe("updateSessions", () => {
  it("tells the routers of every open acct session, also of more than fit on a page", async () => {
    const records = Array.from({ length: 1_203 }, (_, index) =>
      new RecordMaker({ acctSessionId: `s${index}`, startedAtMs: NOON_MS }).start(),
    );
    for (let at = 0; at < records.length; at += 500) {
      await store.acctSessions.record(records.slice(at, at + 500), "brief");
    }
    await expect(update(userRecord("alice", { disabled: true }))).resolves.toMatchObject({ told: "done" });
    expect(new Set(asked.disconnect).size).toBe(1_203);
  });

  it("finds the acct sessions of a device by its MAC address, however user and router write it", async () => {
    await online("s1", "AA-BB-CC-00-11-22", NOON_MS, "AA-BB-CC-00-11-22");
    await online("s2", "aa:bb:cc:00:11:22", NOON_MS, "aabb.cc00.1122");
    // Somebody who has logged in by name from that device.
    await online("s3", "alice", NOON_MS, "AA-BB-CC-00-11-22");
    await update(undefined, "aabbcc001122");
    expect(asked.disconnect.toSorted()).toEqual(["s1", "s2"]);
  });

  it.each([
    ["before the validity begins", { validFromMs: NOON_MS + 1, validUntilMs: NOON_MS + 2 }],
    ["within it", { validUntilMs: NOON_MS + 2 }],
    ["of a user who is disabled, and may be enabled again", { disabled: true, validUntilMs: NOON_MS + 2 }],
  ])("has to be called again when the validity ends: %s", async (_when, user) => {
    await expect(update(userRecord("alice", user))).resolves.toEqual({ told: "done", againAtMs: NOON_MS + 2 });
    clock.advance(2);
    await expect(update(userRecord("alice", user))).resolves.toEqual({ told: "done", againAtMs: undefined });
  });

  it("at the second look tells of values only those that began meanwhile, and disconnects whoever is still there", async () => {
    await online("old", "alice", NOON_MS - 1_000);
    await online("new", "alice", NOON_MS + 1_000);
    await update(userRecord("alice"), "alice", NOON_MS);
    expect(asked).toEqual({ coa: ["new"], disconnect: [] });
    await update(userRecord("alice", { disabled: true }), "alice", NOON_MS);
    expect(asked.disconnect.toSorted()).toEqual(["new", "old"]);
  });

  it.each([
    [{ kind: "timeout" }, "again"],
    [{ kind: "busy" }, "again"],
    [{ kind: "closed" }, "away"],
    [{ kind: "no-route", why: "unknown-nas" }, "away"],
    [{ kind: "no-route", why: "not-permitted" }, "given-up"],
    [{ kind: "no-route", why: "no-session" }, "done"],
  ] as const)("after %o it is %s", async (ended, told) => {
    outcome = ended as Partial<Outcome>;
    await online("s1", "alice");
    await expect(update(undefined)).resolves.toMatchObject({ told });
  });
});
