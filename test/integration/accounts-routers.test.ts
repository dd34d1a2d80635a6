import { describe, expect, it, vi } from "vitest";
import type { Attribute } from "../../src/radius/attribute.ts";
import { ATTRIBUTE, integerAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { AccountingRouter, INTERIM, START, startHub } from "../support/accounting-router.ts";
import type { RawNas } from "../support/raw-nas.ts";
import type { RunningHub } from "../support/running-hub.ts";

const FAIR_USE = `{ name: fair-use, match: { plans: [by-plan] }, amount: 1GB, period: total,
      thresholds: [{ percent: 100, action: disconnect }] }`;

const yaml = (vendor: string, rule = FAIR_USE) => `
accounting: {}
clients: [{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, vendor: ${vendor} }]
quota:
  rules: [${rule}]
`;

async function put(running: RunningHub, path: string, body: object): Promise<void> {
  const init = { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const exists = (await fetch(running.api + path)).status === 200;
  const headers = { ...init.headers, ...(exists ? { "if-match": "*" } : {}) };
  const { status } = await fetch(running.api + path, { ...init, headers });
  expect([200, 201]).toContain(status);
}

/** A hub with alice of plan gold, online at a router of that vendor, which has been told of nothing yet. */
async function aliceOnline(vendor: string, quota?: string) {
  const running = await startHub(yaml(vendor, quota));
  await put(running, "/v1/plans/gold", { rate_down: "10M", rate_up: "2M", idle_timeout: 600 });
  await put(running, "/v1/plans/iron", { rate_down: "1M", rate_up: "512k" });
  await put(running, "/v1/users/alice", { plan: "gold" });
  // Nobody is online yet: what was noted of the new user and the plans is worked off without a word to anybody.
  await vi.waitUntil(async () => (await running.hub.store?.userChanges.countDue(Date.now() + 10_000)) === 0, 10_000);
  const router = await AccountingRouter.of(running, "edge-1");
  await router.account(START, "alice", "s1");
  return { running, router };
}

/** Packets of a router that told() has looked at. */
const looked = new WeakMap<RawNas, number>();

/** The next request of the hub, as text: "CoA Mikrotik-Rate-Limit=2M/10M …"; answered. */
async function told(
  running: RunningHub,
  { nas }: AccountingRouter,
  code: "ack" | "nak",
  more: readonly Attribute[] = [],
): Promise<string> {
  let index = looked.get(nas) ?? 0;
  while (!isRequest((await nas.packet(index)).code)) index += 1;
  looked.set(nas, index + 1);
  const request = await nas.packet(index);
  nas.answer(request, request.code + (code === "ack" ? 1 : 2), more);
  const values = running.hub.dictionary
    .decode(request.attributes)
    .filter(({ name }) => !["Message-Authenticator", "Event-Timestamp", "NAS-Identifier"].includes(name))
    .map(({ name, value }) => `${name}=${value}`);
  return `${request.code === CODE.coaRequest ? "CoA" : "Disconnect"} ${values.join(" ")}`;
}

function isRequest(code: number): boolean {
  return code === CODE.coaRequest || code === CODE.disconnectRequest;
}

const THROTTLE = `{ name: fair-use, amount: 1kB, period: total, thresholds: [
      { percent: 100, action: throttle, attributes: { Mikrotik-Rate-Limit: 64k/64k }, undo: { Mikrotik-Rate-Limit: 50M/50M } }] }`;
const ACCT_OUTPUT_OCTETS = 43;
const WHO = "User-Name=alice Acct-Session-Id=s1";

describe("what routers are told when users and plans change", () => {
  it("sends the new values by CoA when the plan changes, when the user gets another one, and own ones", async () => {
    const { running, router } = await aliceOnline("mikrotik");
    const [byPlan] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/plans/gold", { rate_down: "20M", rate_up: "4M", idle_timeout: 600, interim_interval: 300 }),
    ]);
    expect(byPlan).toBe(`CoA ${WHO} Mikrotik-Rate-Limit=4M/20M Acct-Interim-Interval=300 Idle-Timeout=600`);
    const [byUser] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/users/alice", { plan: "iron" }),
    ]);
    expect(byUser).toBe(`CoA ${WHO} Mikrotik-Rate-Limit=512k/1M Acct-Interim-Interval=120`);
    const [own] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/users/alice", { plan: "iron", overrides: { rate_up: "1M", group: "staff" } }),
    ]);
    expect(own).toBe(`CoA ${WHO} Mikrotik-Rate-Limit=1M/1M Mikrotik-Group=staff Acct-Interim-Interval=120`);
    const [unlimited] = await Promise.all([told(running, router, "ack"), put(running, "/v1/users/alice", {})]);
    expect(unlimited).toBe(`CoA ${WHO} Mikrotik-Rate-Limit=0/0 Acct-Interim-Interval=120`);
  });

  it("tells of a quota that is changed for the user", async () => {
    const { running, router } = await aliceOnline("mikrotik");
    const [seen] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/users/alice/quota", { limits: [{ rule: "fair-use", amount: 5 }] }),
    ]);
    expect(seen).toContain("CoA User-Name=alice Acct-Session-Id=s1 Mikrotik-Rate-Limit=2M/10M");
  });

  it("leaves a throttled rate alone, and gives the plan's rate back when the throttle is taken back", async () => {
    const { running, router } = await aliceOnline("mikrotik", THROTTLE);
    const octets = integerAttribute(ACCT_OUTPUT_OCTETS, 2_000);
    await router.account(INTERIM, "alice", "s1", [octets]);
    await expect(told(running, router, "ack")).resolves.toBe(`CoA ${WHO} Mikrotik-Rate-Limit=64k/64k`);
    await running.event("quota.acted");
    const [changed] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/plans/gold", { rate_down: "20M", rate_up: "4M" }),
    ]);
    expect(changed).toBe(`CoA ${WHO} Acct-Interim-Interval=120`);
    const seen: string[] = [];
    void put(running, "/v1/users/alice/quota", { limits: [{ rule: "fair-use", amount: 1_000_000 }] });
    while (seen.at(-1)?.includes("Mikrotik-Rate-Limit=4M/20M") !== true) seen.push(await told(running, router, "ack"));
    expect(seen).toContain(`CoA ${WHO} Mikrotik-Rate-Limit=50M/50M`);
  });

  it("disconnects where the vendor can not be told by CoA", async () => {
    const { running, router } = await aliceOnline("unifi");
    const [seen] = await Promise.all([told(running, router, "ack"), put(running, "/v1/users/alice", { plan: "iron" })]);
    expect(seen).toBe(`Disconnect ${WHO}`);
  });

  it("disconnects where the router refuses the CoA", async () => {
    const { running, router } = await aliceOnline("wispr-router");
    const changed = put(running, "/v1/users/alice", { plan: "iron" });
    await expect(told(running, router, "nak", [integerAttribute(ATTRIBUTE.errorCause, 401)])).resolves.toMatch(/^CoA /);
    await expect(told(running, router, "ack")).resolves.toBe(`Disconnect ${WHO}`);
    await changed;
    await expect(running.event("user.told")).resolves.toMatchObject({ username: "alice", nas: "edge-1", told: "done" });
  });

  it.each([
    ["disabled", (running: RunningHub) => put(running, "/v1/users/alice", { plan: "gold", disabled: true })],
    ["not valid any more", (running: RunningHub) => put(running, "/v1/users/alice", { valid_until: "2020-01-01" })],
    [
      "deleted",
      async (running: RunningHub) => {
        const headers = { "if-match": "*" };
        expect((await fetch(`${running.api}/v1/users/alice`, { method: "DELETE", headers })).status).toBe(204);
      },
    ],
  ])("disconnects a user that is %s", async (_what, change) => {
    const { running, router } = await aliceOnline("mikrotik");
    const [seen] = await Promise.all([told(running, router, "ack"), change(running)]);
    expect(seen).toBe(`Disconnect ${WHO}`);
  });

  it("says when the validity ends, and disconnects then", async () => {
    const { running, router } = await aliceOnline("mikrotik");
    const until = new Date(Date.now() + 3_000).toISOString();
    const [seen] = await Promise.all([
      told(running, router, "ack"),
      put(running, "/v1/users/alice", { plan: "gold", valid_until: until }),
    ]);
    expect(seen).toMatch(/^CoA .*Session-Timeout=[1-4]$/);
    await expect(told(running, router, "ack")).resolves.toBe(`Disconnect ${WHO}`);
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until));
  });
});
