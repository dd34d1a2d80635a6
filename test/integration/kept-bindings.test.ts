import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { ManualClock } from "../support/manual-clock.ts";
import { RawNas } from "../support/raw-nas.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const HOUR_MS = 3_600_000;

/** Hubs one after the other on one store. All hubs of this file have the same CA. */
async function place(): Promise<(clock?: ManualClock) => Promise<RunningHub>> {
  const file = join(await temporaryFolder(), "hub.db");
  const yaml = `accounting: {}\nstore: ${JSON.stringify(file)}`;
  return (clock) => RunningHub.start({ yaml, ...(clock && { clock }) });
}

async function dial(hub: RunningHub, certificate: string, nasIdentifier: string): Promise<RawNas> {
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials(certificate));
  await nas.register(nasIdentifier);
  return nas;
}

function disconnect(hub: RunningHub) {
  return hub.hub.dynauth.exchange({
    code: 40,
    target: { nasIdentifier: "edge-1" },
    attributes: [],
    trigger: "test",
    force: true,
  });
}

describe("Bindings of NAS-Identifiers over a restart (invariant 1, IDX-04)", () => {
  it("a second peer that comes first after a restart is refused, and the first is reached", async () => {
    const start = await place();
    const before = await start();
    await dial(before, "owner", "edge-1");
    const { boundAtMs } = before.hub.registry.binding("edge-1") ?? {};
    await before.stop();

    const after = await start();
    const thief = await dial(after, "thief", "edge-1");
    expect(await after.event("binding")).toMatchObject({ change: "refused", holder: "owner", claimant: "thief" });
    expect(await disconnect(after)).toMatchObject([{ kind: "no-route" }]);
    const owner = await dial(after, "owner", "edge-1");
    expect(after.hub.registry.binding("edge-1")).toMatchObject({
      peerLabel: "owner",
      boundAtMs,
      lapsesAtMs: undefined,
    });
    const outcome = disconnect(after);
    owner.answer(await owner.packet(1));
    expect(await outcome).toMatchObject([{ kind: "ack" }]);
    expect(thief.received).toHaveLength(1);
  });

  it("is in the store while the hub runs, so that a crash loses nothing, and a release is final", async () => {
    const start = await place();
    const hub = await start();
    await dial(hub, "owner", "edge-1");
    const stored = async () => (await hub.hub.store?.bindings.list({ limit: 10 }))?.items ?? [];
    await vi.waitFor(async () =>
      expect(await stored()).toMatchObject([{ nasIdentifier: "edge-1", peerLabel: "owner" }]),
    );
    const answer = await fetch(`${hub.api}/v1/bindings/edge-1`, { method: "DELETE" });
    expect(answer.status).toBe(204);
    await vi.waitFor(async () => expect(await stored()).toEqual([]));
  });

  it.each([
    [23, "refused"],
    [25, "bound"],
  ])("the 24 h go on while the hub is down: after %i h the other peer is %s", async (hours, change) => {
    const start = await place();
    const nowMs = Date.now();
    const before = await start(new ManualClock(nowMs - hours * HOUR_MS));
    await dial(before, "owner", "edge-1");
    await before.stop();
    const after = await start(new ManualClock(nowMs));
    await dial(after, "thief", "edge-1");
    expect(await after.event("binding")).toMatchObject({ change });
  });
});

describe("A reload that gives a router an entry of its own", () => {
  it("keeps its link and its name, and so does a router that was away", async () => {
    const hub = await RunningHub.start();
    const nas = await dial(hub, "edge-1", "edge-1");
    const away = await dial(hub, "edge-2", "edge-2");
    away.socket.destroy();
    await hub.event("link.down");
    const own = (name: string) => `{ name: ${name}, match: { san: { dns: [${name}] } } }`;
    const every = "{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }";
    await hub.hub.apply(hubConfig(`clients: [${own("edge-1")}, ${own("edge-2")}, ${every}]`, hub.folder));
    expect(hub.hub.registry.binding("edge-1")).toMatchObject({ peerKey: "client:edge-1", client: "edge-1" });
    const outcome = disconnect(hub);
    nas.answer(await nas.packet(1));
    expect(await outcome).toMatchObject([{ kind: "ack" }]);
    expect(hub.eventsOf("link.down")).toHaveLength(1);

    await dial(hub, "edge-2", "edge-2");
    expect(hub.hub.registry.binding("edge-2")).toMatchObject({ peerKey: "client:edge-2", lapsesAtMs: undefined });
    expect(hub.eventsOf("binding").filter(({ change }) => change === "refused")).toEqual([]);
  });
});
