import { describe, expect, it, vi } from "vitest";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { AccountingRouter, START, startHub } from "../support/accounting-router.ts";
import { RunningHub } from "../support/running-hub.ts";
import { UdpRouter } from "../support/udp-router.ts";

const SECRET = "a secret of the test";
const LEGACY = "127.0.0.3";

/** Two routers on RadSec and a legacy one on UDP, of three vendors, with alice online at each of them. */
async function aliceEverywhere(users = "") {
  const legacy = await UdpRouter.open(SECRET, LEGACY);
  const running = await startHub(`
accounting: {}
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
clients:
  - { name: legacy, transport: udp, match: { network: ${LEGACY} }, secret: ${SECRET}, dynauthPort: ${legacy.port}, vendor: mikrotik }
  - { name: edge-1, match: { commonName: edge-1 }, vendor: chillispot }
  - { name: edge-2, match: { commonName: edge-2 }, vendor: unifi }
${users}`);
  await put(running, "/v1/plans/gold", { rate_down: "10M", rate_up: "2M" });
  await put(running, "/v1/users/alice", { plan: "gold" });
  await vi.waitUntil(async () => (await running.hub.store?.userChanges.countDue(Date.now() + 10_000)) === 0, 30_000);
  const chilli = answering(await AccountingRouter.of(running, "edge-1"));
  const unifi = answering(await AccountingRouter.of(running, "edge-2"));
  for (const { router } of [chilli, unifi]) await router.account(START, "alice", `at ${router.name}`);
  const attributes = [
    integerAttribute(ATTRIBUTE.acctStatusType, START),
    textAttribute(ATTRIBUTE.acctSessionId, "at legacy"),
    textAttribute(ATTRIBUTE.userName, "alice"),
    textAttribute(ATTRIBUTE.nasIdentifier, "legacy"),
  ];
  const ports = running.addresses.udp.get("legacy") ?? [];
  const port = ports.find(({ purpose }) => purpose === "acct")?.port ?? 0;
  legacy.request(CODE.accountingRequest, attributes, port, Buffer.alloc(16));
  await vi.waitUntil(() => legacy.replies.length === 1, { timeout: 30_000, interval: 5 });
  const rates = (packets: readonly { code: number; attributes: UdpRouter["received"][number]["attributes"] }[]) =>
    packets.map(({ code, attributes: each }) => {
      const said = running.hub.dictionary.decode(each).filter(({ name }) => /Rate-Limit|Bandwidth/.test(name));
      return [CODE.coaRequest === code ? "CoA" : "Disconnect", ...said.map(({ value }) => String(value))].join(" ");
    });
  const asked = () => ({
    legacy: rates(legacy.received),
    chilli: rates(chilli.requests),
    unifi: rates(unifi.requests),
  });
  return { running, asked };
}

/** A router that acknowledges what it is asked. */
function answering(router: AccountingRouter) {
  const requests: UdpRouter["received"] = [];
  const looking = (async () => {
    for (let at = 0; ; at += 1) {
      const packet = await router.nas.packet(at);
      if (packet.code !== CODE.coaRequest && packet.code !== CODE.disconnectRequest) continue;
      requests.push(packet);
      router.nas.answer(packet);
    }
  })();
  looking.catch(() => undefined); // the link has ended
  return { router, requests };
}

async function put(running: RunningHub, path: string, body: object): Promise<void> {
  const has = (await fetch(running.api + path)).status === 200;
  const headers = { "content-type": "application/json", ...(has ? { "if-match": "*" } : {}) };
  const { status } = await fetch(running.api + path, { method: "PUT", headers, body: JSON.stringify(body) });
  expect([200, 201]).toContain(status);
}

describe("a user with acct sessions at three routers, one of them on UDP", () => {
  it("gets another plan at each of them, in the words of its vendor (openwisp-radius#643)", async () => {
    const { running, asked } = await aliceEverywhere();
    await put(running, "/v1/plans/gold", { rate_down: "20M", rate_up: "4M" });
    const expected = { legacy: ["CoA 4M/20M"], chilli: ["CoA 4000 20000"], unifi: ["Disconnect"] };
    await vi.waitFor(() => expect(asked()).toEqual(expected), { timeout: 30_000, interval: 10 });
    await put(running, "/v1/users/alice", { plan: "gold", overrides: { rate_up: "1M" } });
    const own = [expected.legacy, expected.chilli, expected.unifi];
    const [legacy, chilli, unifi] = own.map(([first = ""]) => first);
    await vi.waitFor(
      () =>
        expect(asked()).toEqual({
          legacy: [legacy, "CoA 1M/20M"],
          chilli: [chilli, "CoA 1000 20000"],
          unifi: [unifi, "Disconnect"],
        }),
      { timeout: 30_000, interval: 10 },
    );
    const told = () => running.eventsOf("user.told").map((event) => event.told);
    await vi.waitFor(() => expect(told()).toEqual(Array<string>(6).fill("done")), { timeout: 30_000, interval: 10 });
  }, 90_000);

  it("is disconnected everywhere when the validity ends, which had not begun when it was set", async () => {
    const { running, asked } = await aliceEverywhere();
    const from = Date.now() + 1_500;
    const until = { valid_from: new Date(from).toISOString(), valid_until: new Date(from + 1_500).toISOString() };
    await put(running, "/v1/users/alice", { plan: "gold", ...until });
    const once = { legacy: ["Disconnect"], chilli: ["Disconnect"], unifi: ["Disconnect"] };
    await vi.waitFor(() => expect(asked()).toEqual(once), { timeout: 30_000, interval: 10 });
    // Its routers have said nothing of an end, so they are asked again when the validity ends.
    const twice = Object.fromEntries(Object.entries(once).map(([name, each]) => [name, [...each, ...each]]));
    await vi.waitFor(() => expect(asked()).toEqual(twice), { timeout: 30_000, interval: 10 });
    expect(Date.now()).toBeGreaterThanOrEqual(from + 1_500);
  }, 90_000);

  it("is told where the router answers, while another one is away, which is told when it is back", async () => {
    const { running, asked } = await aliceEverywhere();
    const [link] = running.hub.registry.byNasIdentifier("edge-1");
    link?.link.close("operator");
    await running.event("link.down");
    await put(running, "/v1/users/alice", { plan: "gold", disabled: true });
    await vi.waitFor(() => expect(asked()).toEqual({ legacy: ["Disconnect"], chilli: [], unifi: ["Disconnect"] }), {
      timeout: 10_000,
      interval: 10,
    });
    await running.event("user.told", ({ told }) => told === "away");
    const back = answering(await AccountingRouter.of(running, "edge-1"));
    await vi.waitUntil(() => back.requests.length > 0, { timeout: 40_000, interval: 10 });
    expect(back.requests.map(({ code }) => code)).toEqual([CODE.disconnectRequest]);
  }, 90_000);
});
