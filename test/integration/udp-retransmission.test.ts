import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RunningHub } from "../support/running-hub.ts";
import { request, UdpHost, USER } from "../support/udp-fixture.ts";

const DAC = "127.0.0.2";
const ROUTER = "127.0.0.5";

/** A hub as shipped whose time a test passes, and a router over UDP that answers nothing. */
async function network(yaml = "") {
  const router = await UdpHost.open(ROUTER);
  const clock = new ManualClock(Date.now());
  const hub = await RunningHub.start({
    clock,
    yaml: `
udp: [{ name: lan, addresses: [127.0.0.1], dynauthPort: 0 }]
clients:
  - { name: aaa, transport: udp, match: { network: ${DAC} }, secret: a secret of sixteen octets, mayTrigger: true }
  - { name: old, transport: udp, match: { network: ${ROUTER} }, secret: a secret of sixteen octets, dynauthPort: ${router.port} }
${yaml}`,
  });
  const arrivals: number[] = [];
  router.socket.on("message", () => arrivals.push(clock.now()));
  /** Lets a moment pass, and what it brings arrive. */
  const pass = async () => {
    clock.advance(100);
    for (let turn = 0; turn < 5; turn += 1) await setImmediate();
  };
  return { hub, router, clock, arrivals, pass };
}

/** Times of the sendings after the first, each with a tenth of jitter at every step and what the loop above adds. */
function expectPlan(sentAfter: readonly number[], count: number): void {
  expect(sentAfter).toHaveLength(count);
  const bounds = [
    [1_700, 2_600],
    [5_000, 7_400],
    [11_500, 16_600],
  ] as const;
  for (const [index, at] of sentAfter.entries()) {
    expect(at).toBeGreaterThan(bounds[index]?.[0] ?? 0);
    expect(at).toBeLessThan(bounds[index]?.[1] ?? 0);
  }
}

describe("a router over UDP that stays silent, behind a hub as shipped", () => {
  it.each([
    { yaml: "", query: "", waitedMs: 30_000, copies: 3 },
    { yaml: "", query: "&timeout=3", waitedMs: 3_000, copies: 1 },
    { yaml: "dynauth: { timeoutUdp: 7.5s }", query: "", waitedMs: 7_500, copies: 2 },
    { yaml: "dynauth: { timeoutMax: 20s }", query: "", waitedMs: 20_000, copies: 3 },
  ])(
    "UC-02 UC-03 POST /disconnect$query asks it $copies times more in $waitedMs ms, each time the same octets: $yaml",
    async ({ yaml, query, waitedMs, copies }) => {
      const { hub, router, arrivals, pass } = await network(yaml);
      const path = `${hub.api}/disconnect?nas_ip_address=${ROUTER}&username=nemo${query}`;
      let answer: Response | undefined;
      void fetch(path, { method: "POST" }).then((response) => (answer = response));
      await router.datagram();
      const [first = 0] = arrivals;
      while (answer === undefined) await pass();
      expect(answer.status).toBe(504);
      const { duration_ms } = (await answer.json()) as { duration_ms: number };
      expect(duration_ms).toBeGreaterThanOrEqual(waitedMs);
      expect(duration_ms).toBeLessThan(waitedMs + 200);
      expectPlan(
        arrivals.slice(1).map((at) => at - first),
        copies,
      );
      expect(new Set(router.received.map(({ octets, from }) => `${from.port} ${octets.toString("hex")}`)).size).toBe(1);
    },
  );

  it("DP-06 DP-07 UC-03 what its AAA server sends again joins the exchange: the router sees the hub's copies alone", async () => {
    const { hub, router, clock, arrivals, pass } = await network();
    const dac = await UdpHost.open(DAC);
    const port = hub.addresses.udp.get("lan")?.find(({ purpose }) => purpose === "dynauth")?.port ?? 0;
    const asked = request(CODE.disconnectRequest, [USER, { type: 4, value: Buffer.from([127, 0, 0, 5]) }]);
    dac.send(asked, port);
    await router.datagram();
    const [first = 0] = arrivals;
    // RFC 5080 Section 2.2.1 without jitter.
    const again = [2_000, 6_000, 14_000].map((ms) => first + ms);
    while (hub.eventsOf("exchange.ended").length === 0) {
      await pass();
      for (; clock.now() >= (again[0] ?? Number.POSITIVE_INFINITY); again.shift()) dac.send(asked, port);
    }
    expect(again).toEqual([]);
    expectPlan(
      arrivals.slice(1).map((at) => at - first),
      3,
    );
    expect(new Set(router.received.map(({ octets }) => octets.toString("hex"))).size).toBe(1);
    expect(dac.received).toEqual([]); // DP-32
  });
});
