import { hash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { startHub } from "../support/accounting-router.ts";
import type { RunningHub } from "../support/running-hub.ts";

const PASSWORD = "20000 leagues";
const CHALLENGE = Buffer.alloc(16, 5);
/** PHONE is on first, then TABLET. */
const [PHONE, TABLET, LAPTOP] = ["AA-BB-CC-00-00-01", "AA-BB-CC-00-00-02", "AA-BB-CC-00-00-03"];

const yaml = (settings: string) => `
accounting: {}
modules: { instances: [{ module: checksimul, settings: { ${settings} } }] }
`;

/** A router with two acct sessions of nemo, whose plan allows as many. */
async function twoOnline(settings: string): Promise<{ running: RunningHub; router: NasSimulator }> {
  const running = await startHub(yaml(settings));
  for (const [path, body] of [
    ["plans/two", { simultaneous_use: 2 }],
    ["users/nemo", { password: PASSWORD, password_kind: "clear-text", plan: "two" }],
  ] as const) {
    const headers = { "content-type": "application/json" };
    const init = { method: "PUT", headers, body: JSON.stringify(body) };
    expect((await fetch(`${running.api}/v1/${path}`, init)).status).toBe(201);
  }
  const router = new NasSimulator(
    { clock: systemClock, random: systemRandom },
    { host: "127.0.0.1", port: running.radsecPort, tls: await running.credentials("edge"), nasIdentifier: "edge" },
  );
  await router.start();
  for (const [acctSessionId, callingStationId] of [
    ["s1", PHONE],
    ["s2", TABLET],
  ] as const) {
    const acctSession = router.addAcctSession({ username: "nemo", acctSessionId, callingStationId });
    expect(await router.sendAccounting("start", acctSession)).toMatchObject({ code: CODE.accountingResponse });
  }
  return { running, router };
}

/** By CHAP, whose challenge a router may choose. */
async function logsIn(router: NasSimulator, station: string = LAPTOP): Promise<boolean> {
  const response = hash("md5", Buffer.concat([Buffer.of(1), Buffer.from(PASSWORD), CHALLENGE]), "buffer");
  const attributes = [
    textAttribute(1, "nemo"),
    textAttribute(32, router.nasIdentifier),
    textAttribute(31, station),
    { type: 3, value: Buffer.concat([Buffer.of(1), response]) },
    { type: 60, value: CHALLENGE },
  ];
  const outcome = await router.request(CODE.accessRequest, attributes, 10_000);
  return outcome.kind === "reply" && outcome.code === CODE.accessAccept;
}

const idsOf = (router: NasSimulator) => [...router.acctSessions].map(({ acctSessionId }) => acctSessionId);

describe("Simultaneous-Use at a simulated router", () => {
  it("rejects one more, and takes nobody down", async () => {
    const { router } = await twoOnline("onLimit: reject");
    await using _ = router;
    expect(await logsIn(router)).toBe(false);
    expect(idsOf(router)).toEqual(["s1", "s2"]);
  });

  it("disconnects the oldest through the reverse path and lets the new one in", async () => {
    const { running, router } = await twoOnline("onLimit: disconnect-oldest");
    await using _ = router;
    expect(await logsIn(router)).toBe(true);
    expect(idsOf(router)).toEqual(["s2"]);
    expect(running.eventsOf("exchange.ended").map(({ outcome }) => outcome)).toEqual(["ack"]);
  });

  it("asks the router for acct sessions that were silent: what it does not know makes room, what it knows does not", async () => {
    const { router } = await twoOnline("onLimit: reject, verifyAfterSeconds: 0");
    await using _ = router;
    expect(await logsIn(router)).toBe(false);
    const lost = router.acctSessions.byAcctSessionId("s1");
    if (lost !== undefined) router.acctSessions.end(lost); // without a Stop, as after a crash
    expect(await logsIn(router)).toBe(true);
    expect(idsOf(router)).toEqual(["s2"]);
  });

  it("lets in one of two at the same moment", async () => {
    const { router } = await twoOnline("onLimit: reject, verifyAfterSeconds: 0");
    await using _ = router;
    const lost = router.acctSessions.byAcctSessionId("s1");
    if (lost !== undefined) router.acctSessions.end(lost);
    const both = await Promise.all([logsIn(router), logsIn(router, "AA-BB-CC-00-00-04")]);
    expect(both.filter(Boolean)).toHaveLength(1);
  });
});
