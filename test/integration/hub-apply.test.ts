import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { RawNas } from "../support/raw-nas.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";

describe("Hub.apply()", () => {
  it("another pki.folder waits for a restart: the CA stays, and with it every link", async () => {
    const running = await RunningHub.start();
    const tls = await running.credentials("shop-7");
    const nas = new NasSimulator(
      { clock: systemClock, random: systemRandom },
      { host: "127.0.0.1", port: running.radsecPort, nasIdentifier: "shop-7", tls },
    );
    onTestFinished(() => nas.stop());
    await nas.start();
    const elsewhere = hubConfig("", join(running.folder, "elsewhere"));
    expect(await running.hub.apply(elsewhere)).toEqual({ changed: ["pki"], needsRestart: ["pki.folder"] });
    expect(running.eventsOf("link.down")).toEqual([]);
    expect(running.hub.pki?.folder).toBe(join(running.folder, "pki"));
    // Read again it is no news, and waits as before; taken back, nothing waits.
    expect(await running.hub.apply(elsewhere)).toEqual({ changed: [], needsRestart: ["pki.folder"] });
    expect(await running.hub.apply(hubConfig("", running.folder))).toEqual({ changed: ["pki"], needsRestart: [] });
  });
});

describe("A router whose certificate ends within 30 days", () => {
  it("is admitted, and the operator is told", async () => {
    const running = await RunningHub.start();
    const issued = await running.hub.pki?.issueNas("shop-7", { days: 20 });
    await RawNas.dial(running.radsecPort, {
      ca: issued?.caPem ?? "",
      certificate: issued?.certificatePem ?? "",
      key: issued?.keyPem ?? "",
    });
    const told = await running.event("certificate.expiring");
    expect(told).toMatchObject({ what: "certificate of router shop-7", daysLeft: 19, notAfterMs: issued?.notAfterMs });
    expect(running.eventsOf("link.up")).toHaveLength(1);
  });
});
