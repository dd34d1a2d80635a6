import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run } from "../../src/cli/run.ts";
import { EventLog, openLog } from "../../src/log.ts";
import { CapturedIo } from "../support/cli-io.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { PSK, pskRouter } from "../support/psk-routers.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";

const HEX = PSK.toString("hex");
const clients = (key: string) =>
  `clients: [{ name: shops, match: { psk: { identity: "shop-7@nas.example", key: "hex:${key}" }, network: 127.0.0.1 } }]`;

/** A hub that knows one identity, and `radsec-hub nas-sim --psk` words dialling it until the test ends. */
async function hubWithNas(...words: string[]) {
  const hub = await RunningHub.start({ yaml: clients(HEX) });
  const io = new CapturedIo(hub.folder);
  const ended = run(["nas-sim", "--hub", `127.0.0.1:${hub.radsecPort}`, "--nas-id", "shop-7", ...words], io);
  onTestFinished(async () => {
    io.interrupt();
    await ended;
  });
  return { hub, io };
}

describe("a hub and a router with a PSK", () => {
  it("PSK-01 TLS-27 reaches nas-sim --psk by its NAS-Identifier and shows its identity", async () => {
    const { hub } = await hubWithNas("--psk", `shop-7@nas.example:${HEX}`);
    await hub.event("binding");
    expect(await hub.event("link.up")).toMatchObject({ client: "shops", peer: "shop-7@nas.example" });
    const answer = await fetch(`${hub.api}/disconnect?nas_identifier=shop-7&username=alice`, { method: "POST" });
    expect(answer.status).toBe(200);
    const { links } = (await (await fetch(`${hub.api}/v1/links?peer=psk:shop-7@nas.example`)).json()) as {
      links: unknown[];
    };
    expect(links).toMatchObject([
      {
        peer: { kind: "psk", label: "shop-7@nas.example", identity: "shop-7@nas.example" },
        nas_identifiers: ["shop-7"],
      },
    ]);
  });

  it("a new configuration with another key ends the link", async () => {
    const { hub } = await hubWithNas("--psk", `shop-7@nas.example:${HEX}`);
    await hub.event("link.up");
    expect(await hub.hub.apply(hubConfig(clients(HEX.toUpperCase()), hub.folder))).toMatchObject({ changed: [] });
    const applied = await hub.hub.apply(hubConfig(clients("ab".repeat(32)), hub.folder));
    expect(applied).toEqual({ changed: ["clients"], needsRestart: [] });
    expect(await hub.event("link.down")).toMatchObject({ reason: "client-removed", detail: "its PSK has changed" });
    expect(await hub.event("handshake.refused")).toMatchObject({ reason: "wrong-psk" });
  });

  it("PSK-15 the log names an unknown identity and its address, and nothing is learned of it", async () => {
    const { hub } = await hubWithNas("--psk", `shop-7@nas.example:${HEX}`);
    const file = join(hub.folder, "log.json");
    hub.hub.events.subscribe(new EventLog(openLog({ level: "info", format: "json", file }), new ManualClock()).write);
    for (let turn = 1; turn <= 2; turn += 1) {
      const options = { ...pskRouter({ identity: 'who"\u009b31m' }), rejectUnauthorized: false };
      connect({ host: "127.0.0.1", port: hub.radsecPort, ...options }).on("error", () => undefined);
      await vi.waitFor(() => expect(hub.eventsOf("handshake.refused")).toHaveLength(turn));
    }
    const lines = (await readFile(file, "utf8")).split("\n").filter((line) => line.includes("refused"));
    expect(lines).toHaveLength(1);
    expect((JSON.parse(lines[0] as string) as { msg: string }).msg).toMatch(
      /^connection from 127\.0\.0\.1:\d+ refused by listener \w+: unknown-psk-identity \(PSK identity "who\\"\\u\{9b\}31m" has/,
    );
  });

  it("PSK-10 a simulated router stays away from a hub that does not take its PSK", async () => {
    const { hub, io } = await hubWithNas("--psk", `shop-8:${HEX}`);
    await vi.waitFor(() => expect(io.out).toContain("connect-failed"), { timeout: 10_000 });
    expect(await hub.event("handshake.refused")).toMatchObject({ reason: "unknown-psk-identity" });
    expect(hub.eventsOf("link.up")).toEqual([]);
  });

  it.each([
    ["no colon", "IDENTITY:KEY"],
    ["a:xyz", "IDENTITY:KEY"],
    [`:${HEX}`, "the identity of --psk is empty"],
    ["a:0011", "a PSK has 16 to 512 octets, not 2"],
  ])("--psk %s is one line and exit code 1", async (psk, message) => {
    const io = new CapturedIo("/");
    expect(await run(["nas-sim", "--psk", psk], io)).toBe(1);
    expect(io.err).toContain(message);
    expect(io.err).not.toMatch(/0011|xyz/);
  });
});
