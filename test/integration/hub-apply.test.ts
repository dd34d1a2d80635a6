import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
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
  });
});
