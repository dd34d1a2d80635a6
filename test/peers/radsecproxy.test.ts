import { beforeEach, describe, expect, it, vi } from "vitest";
import { findProgram, runToEnd } from "../support/program.ts";
import { startRadsecproxy } from "../support/radsecproxy.ts";
import { RunningHub } from "../support/running-hub.ts";

const radclient = findProgram("radclient") ?? "radclient";
const UDP_SECRET = "testing-123-for-udp";

async function proxied() {
  const hub = await RunningHub.start();
  return { hub, ...(await startRadsecproxy(hub, UDP_SECRET, { statusServer: true })) };
}

describe("radsecproxy at a running hub", () => {
  beforeEach((context) => {
    for (const name of ["radsecproxy", "radclient"]) {
      if (findProgram(name) === undefined) context.skip(`${name} is not installed`);
    }
  });

  it("ST-01 TLS-05 its watchdog is answered and the link stays", async () => {
    const { hub, proxy } = await proxied();
    const { linkId, protocol } = await hub.event("link.up");
    expect(protocol).toMatch(/^TLSv1\.3 /);
    // Its period is 25 s with some jitter, and can not be configured.
    await proxy.says(/clientwr: sending Status-Server to hub/, 40_000);
    await proxy.says(/replyh: got status server response from hub/, 5_000);
    expect(hub.hub.registry.record(linkId)?.link.open).toBe(true);
    expect([hub.eventsOf("packet.dropped"), hub.eventsOf("link.down")]).toEqual([[], []]);
    await proxy.stop();
    expect((await hub.event("link.down")).linkId).toBe(linkId);
  }, 60_000);

  it("IDX-07 CRY-06 CRY-15 carries Access-Requests of UDP: they are rejected, both hops verify, and the NAS behind it is learnt", async () => {
    const { hub, udpPort } = await proxied();
    const { linkId } = await hub.event("link.up");
    const request = 'User-Name = "nemo@example.org"\nUser-Password = "secret"\nNAS-Identifier = "behind-proxy"\n';
    const words = ["-x", "-t", "5", "-r", "1", `127.0.0.1:${udpPort}`, "auth", UDP_SECRET];
    const { output } = await runToEnd(radclient, words, request);
    expect(output).toMatch(/^Received Access-Reject/m);
    expect(output).toContain("Message-Authenticator");
    const links = hub.hub.registry.byNasIdentifier("behind-proxy");
    expect(links.map(({ link }) => link.linkId)).toEqual([linkId]);
    expect(hub.eventsOf("link.down")).toEqual([]);
  });

  it("PE-01 C13 takes the Protocol-Error to an Accounting-Request without harm to the link: nobody acknowledges it", async () => {
    const { hub, udpPort } = await proxied();
    const { linkId } = await hub.event("link.up");
    // Without User-Name radsecproxy would acknowledge it by itself.
    const request =
      'User-Name = "nemo"\nAcct-Status-Type = Start\nAcct-Session-Id = "a1"\nNAS-Identifier = "behind-proxy"\n';
    const words = ["-x", "-t", "1", "-r", "1", `127.0.0.1:${udpPort}`, "acct", UDP_SECRET];
    const { output } = await runToEnd(radclient, words, request);
    expect(output).not.toContain("Accounting-Response");
    await vi.waitFor(() => expect(hub.hub.registry.byNasIdentifier("behind-proxy")).toHaveLength(1));
    expect(hub.hub.registry.record(linkId)?.link.open).toBe(true);
  });
});
