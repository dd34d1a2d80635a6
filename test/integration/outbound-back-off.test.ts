import { expect, it, onTestFinished, vi } from "vitest";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RadsecDialler } from "../../src/transport/radsec-dialler.ts";
import { TimingWheel } from "../../src/transport/timing-wheel.ts";
import { clientEntry } from "../support/client-entries.ts";
import { radsecServer } from "../support/forwarding-hub.ts";
import { listenerOptions, makeTestPki, WAIT } from "../support/listener-fixture.ts";
import { TlsRadiusServer } from "../support/radius-servers.ts";

/** Of a back-off whose random part is nothing. */
const STEPS_MS: readonly number[] = [500, 1_000, 2_000, 4_000];

/** Keeps how long somebody wanted to wait before dialling again, and lets nobody wait. */
class HastyClock implements Clock {
  readonly waits: number[] = [];
  readonly now = (): number => systemClock.now();
  readonly wallMs = (): number => systemClock.wallMs();

  readonly after = (delayMs: number, action: () => void): (() => void) => {
    if (!STEPS_MS.includes(delayMs)) return systemClock.after(delayMs, action);
    this.waits.push(delayMs);
    return systemClock.after(1, action);
  };
}

it("WD-07 a connection that ends before an authentic packet counts as failed; one that has brought one does not", async () => {
  const pki = await makeTestPki();
  const home = await TlsRadiusServer.start({ ca: pki.ca, server: pki.hub });
  home.answersStatus = false;
  const clock = new HastyClock();
  const wheel = new TimingWheel(systemClock);
  const { tls, serverName = "localhost", watchdogMs } = radsecServer("home", home.port, pki);
  const dialler = new RadsecDialler(
    {
      clock,
      random: { ...systemRandom, fraction: () => 0 },
      wheel,
      handler: () => ({ kind: "discard", reason: "test" }),
      nextLinkId: () => "link",
      isSelf: () => false,
      dropped: () => undefined,
      changed: () => undefined,
    },
    {
      name: "upstream:home",
      host: "127.0.0.1",
      port: home.port,
      serverName,
      tls,
      links: 1,
      connectTimeoutMs: 10_000,
      watchdogMs,
      watchdogJitterMs: 0,
      probe: () => ({ code: CODE.statusServer, attributes: [] }),
      reconnect: { floorMs: 500, capMs: 60_000 },
      entry: clientEntry(),
      link: listenerOptions(pki).link,
    },
  );
  onTestFinished(async () => {
    await dialler.stop();
    wheel.stop();
  });
  dialler.start();
  for (let failed = 1; failed <= 3; failed += 1) {
    await vi.waitUntil(() => home.probes.length === failed, WAIT); // it was asked, and does not answer
    home.sockets[failed - 1]?.end();
  }
  await vi.waitFor(() => expect(clock.waits).toEqual([500, 1_000, 2_000]), WAIT);
  expect(clock.waits).toEqual([500, 1_000, 2_000]);
  home.answersStatus = true;
  await vi.waitUntil(() => home.sockets.length === 4, WAIT);
  await vi.waitUntil(() => home.probes.length === 4, WAIT);
  home.sockets[3]?.end();
  await vi.waitUntil(() => clock.waits.length === 4, WAIT);
  expect(clock.waits).toEqual([500, 1_000, 2_000, 500]);
});
