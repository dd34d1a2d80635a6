import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ATTRIBUTE, type Attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { START } from "../support/accounting-router.ts";
import { accept, type Script, silent, UdpRadiusServer } from "../support/radius-servers.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const WAIT = { timeout: 10_000, interval: 10 };

/** A hub that passes everything on to a server, keeps books, and disconnects who has used anything. */
async function hubBefore(script: Script) {
  const home = await UdpRadiusServer.start(new SharedSecret("a secret of the test"), script);
  const hub = await RunningHub.start({
    yaml: `
accounting: {}
upstreams:
  servers:
    - { name: home, transport: udp, host: 127.0.0.1, acctPort: ${home.port}, secret: a secret of the test, replyTimeout: 1s }
  pools: [{ name: default, servers: [home], timeout: 1s }]
realms: [{ pool: default }]
quota:
  rules: [{ name: none, amount: 0B, thresholds: [{ percent: 100, action: disconnect }] }]
`,
  });
  await hub.hub.store?.ready(10_000);
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await nas.register("nas-07");
  return { home, hub, nas };
}

function started(acctSessionId: string): Attribute[] {
  return [
    integerAttribute(ATTRIBUTE.acctStatusType, START),
    textAttribute(ATTRIBUTE.acctSessionId, acctSessionId),
    textAttribute(ATTRIBUTE.userName, "nemo"),
    textAttribute(ATTRIBUTE.nasIdentifier, "nas-07"),
  ];
}

const codesOf = (nas: RawNas): number[] => nas.received.slice(1).map(({ code }) => code);

describe("accounting that is forwarded", () => {
  it("UL-10 is answered once the upstream has answered and the record is stored, and then the quota acts", async () => {
    const { home, hub, nas } = await hubBefore(accept);
    nas.request(CODE.accountingRequest, started("s-1"), 1);
    await nas.packet(2);
    expect(codesOf(nas)).toEqual([CODE.accountingResponse, CODE.disconnectRequest]);
    expect(home.requests).toHaveLength(1);
    await expect(hub.hub.store?.acctSessions.countOpen()).resolves.toBe(1);
  });

  it("UL-10 is stored and not answered while the upstream is silent; the quota acts all the same", async () => {
    const { hub, nas } = await hubBefore(silent);
    nas.request(CODE.accountingRequest, started("s-1"), 1);
    await vi.waitFor(() => expect(codesOf(nas)).toEqual([CODE.disconnectRequest]), WAIT);
    await expect(hub.hub.store?.acctSessions.countOpen()).resolves.toBe(1);
  });

  it("invariant 6, UL-10: is not answered while it can not be stored, whatever the upstream says", async () => {
    const { home, hub, nas } = await hubBefore(accept);
    await hub.hub.store?.stop();
    nas.request(CODE.accountingRequest, started("s-1"), 1);
    await home.request(0);
    await hub.event("packet.dropped", ({ reason }) => reason === "handler-discard");
    expect(codesOf(nas)).toEqual([]);
  });
});

describe("a hub whose store is down", () => {
  it("invariant 6: starts, says so on /ready, answers no accounting, and recovers by itself", async () => {
    const file = join(await temporaryFolder(), "hub.db");
    await writeFile(file, "no database ".repeat(1_000));
    const hub = await RunningHub.start({ yaml: `accounting: {}\nstore: ${JSON.stringify(file)}` });
    const ready = async () => {
      const response = await fetch(`${hub.api}/ready`);
      const { checks } = (await response.json()) as { checks: { store: { ok: boolean } } };
      return [response.status, checks.store.ok];
    };
    const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
    await nas.register("nas-07");
    expect(await ready()).toEqual([503, false]);
    nas.request(CODE.accountingRequest, started("s-1"), 1);
    await hub.event("packet.dropped", ({ reason }) => reason === "handler-discard");
    expect(codesOf(nas)).toEqual([]);
    await rm(file);
    await hub.hub.store?.ready(15_000);
    expect(await ready()).toEqual([200, true]);
    nas.request(CODE.accountingRequest, started("s-1"), 2);
    await nas.packet(1);
    expect(codesOf(nas)).toEqual([CODE.accountingResponse]);
  });
});
