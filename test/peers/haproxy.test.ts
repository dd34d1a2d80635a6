import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { freeTcpPort } from "../support/free-port.ts";
import { needs } from "../support/freeradius.ts";
import { findProgram, Program } from "../support/program.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const HAPROXY = findProgram("haproxy") ?? "haproxy";
/** Where the router dials from: not the address that haproxy connects to the hub from. */
const ROUTER = "127.0.0.5";
const LISTED = "proxyProtocolFrom: [127.0.0.1/32]";
const HEADERS = [
  ["version 1", "send-proxy"],
  ["version 2", "send-proxy-v2"],
  ["version 2 with CRC32C and an id", "send-proxy-v2 proxy-v2-options crc32c,unique-id"],
] as const;

/** A hub, and haproxy in front of it.
 *  @param listener further keys of the listener
 *  @param server what haproxy is to do towards the hub */
async function balanced(listener: string, server: string, host = "127.0.0.1") {
  const yaml = `radsec: [{ address: 127.0.0.1, port: 0, ${listener} }]`;
  const hub = await RunningHub.start({ yaml });
  const port = await freeTcpPort(host);
  const file = join(hub.folder, "haproxy.cfg");
  await writeFile(
    file,
    `
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen routers
  bind ${host.includes(":") ? `[${host}]` : host}:${port}
  unique-id-format router-%pid-%rt
  server hub 127.0.0.1:${hub.radsecPort} ${server}
`,
  );
  // Its worker inherits the sockets, which the master has opened before it says so.
  const haproxy = Program.start(HAPROXY, ["-W", "-f", file]);
  await haproxy.says(/Loading success/);
  return { hub, port, haproxy };
}

describe("haproxy in front of a running hub (PROXY protocol)", () => {
  beforeEach((context) => needs(context, "haproxy"));

  it.each(HEADERS)("%s: the link is from the router's address, and a Disconnect comes down it", async (_, server) => {
    const { hub, port } = await balanced(LISTED, server);
    const nas = await RawNas.dial(port, await hub.credentials("nas-07"), { localAddress: ROUTER });
    await nas.register("nas-07");
    expect(await hub.event("link.up")).toMatchObject({ address: ROUTER, port: nas.socket.localPort });
    const answer = fetch(`${hub.api}/disconnect?nas_identifier=nas-07&username=nemo`, { method: "POST" });
    nas.answer(await nas.packet(1));
    expect((await answer).status).toBe(200);
  });

  it("tells the address of a router that dials over IPv6", async () => {
    const { hub, port } = await balanced(LISTED, "send-proxy-v2", "::1");
    const nas = await RawNas.dial(port, await hub.credentials("nas-07"), { host: "::1" });
    await nas.register("nas-07");
    expect(await hub.event("link.up")).toMatchObject({ address: "::1", port: nas.socket.localPort });
  });

  it.each(HEADERS)("%s: is not believed where its network is not listed", async (_, server) => {
    const { hub, port } = await balanced("proxyProtocolFrom: [127.0.0.9/32]", server);
    await expect(RawNas.dial(port, await hub.credentials("nas-07"))).rejects.toThrow();
    expect(await hub.event("handshake.refused")).toMatchObject({ reason: "not-tls", address: "127.0.0.1" });
  });

  it("is refused where it is listed and sends no header", async () => {
    const { hub, port } = await balanced(LISTED, "");
    await expect(RawNas.dial(port, await hub.credentials("nas-07"))).rejects.toThrow();
    expect(await hub.event("handshake.refused")).toMatchObject({ reason: "proxy-header", address: "127.0.0.1" });
  });

  it("takes the hub for alive by checks that open a connection for nobody, and the link beside them stays", async () => {
    const { hub, port, haproxy } = await balanced(LISTED, "send-proxy-v2 check check-send-proxy inter 50ms");
    const nas = await RawNas.dial(port, await hub.credentials("nas-07"), { localAddress: ROUTER });
    await hub.event("handshake.refused", ({ reason }) => reason === "reset");
    await nas.register("nas-07");
    expect(haproxy.output).not.toContain("DOWN");
    expect(hub.eventsOf("link.down")).toEqual([]);
  });
});
