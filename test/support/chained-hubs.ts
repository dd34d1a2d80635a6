import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { vi } from "vitest";
import { RunningHub } from "./running-hub.ts";

const WAIT = { timeout: 10_000, interval: 10 };

/** `upstreams` and `realms` of a hub that dials out to another one and passes everything on to it.
 *  @param name Common Name that the upper hub knows it by @param more further keys of the server */
export async function upstreamOf(upper: RunningHub, name: string, more = ""): Promise<string> {
  const { ca, certificate, key } = await upper.credentials(name);
  const folder = join(upper.folder, "for-other-hubs");
  await mkdir(folder, { recursive: true });
  const file = async (ending: string, pem: string): Promise<string> => {
    const path = join(folder, `${name}.${ending}`);
    await writeFile(path, pem);
    return path;
  };
  const tls = `{ certificateFile: ${await file("pem", certificate)}, keyFile: ${await file("key", key)}, caFiles: [${await file("ca.pem", ca)}] }`;
  return `
upstreams:
  servers:
    - { name: upper, transport: radsec, host: 127.0.0.1, port: ${upper.radsecPort}, tls: ${tls}, mayTrigger: true, reconnect: { floor: 500ms, cap: 1s }${more} }
  pools: [{ name: upper, servers: upper }]
realms: [{ pool: upper }]
`;
}

/** Resolves when the hub has a link to its upstream. */
export async function connected(hub: RunningHub): Promise<void> {
  await hub.event("upstream.up");
}

/** Waits until a hub knows a NAS by name. */
export async function knows(hub: RunningHub, nasIdentifier: string): Promise<void> {
  await vi.waitUntil(() => hub.hub.registry.byNasIdentifier(nasIdentifier).length > 0, WAIT);
}

/** POST to the API of a hub. */
export async function post(hub: RunningHub, path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(hub.api + path, { method: "POST" });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
