import { beforeAll, describe, expect, it, vi } from "vitest";
import { firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { PskKey } from "../../src/transport/psk.ts";
import { connected, knows, post } from "../support/chained-hubs.ts";
import { ForwardingHub, radsecServer } from "../support/forwarding-hub.ts";
import { makeTestPki, type TestPki, WAIT } from "../support/listener-fixture.ts";
import { TlsRadiusServer } from "../support/radius-servers.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const KEY = "hex:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const OTHER_KEY = KEY.replace("00", "ff");
const IDENTITY = "hub-b@example.net";
const psk = (tls: string, key = KEY) => `{ identity: ${IDENTITY}, key: "${key}", tls: ${tls} }`;

/** Two hubs of which the second dials out to the first with a key. */
async function chain(above: string, below: string): Promise<{ a: RunningHub; b: RunningHub }> {
  const a = await RunningHub.start({
    yaml: `
clients:
  - { name: hub-b, match: { psk: [${above}] }, role: hub }
  - { name: others, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`,
  });
  const b = await RunningHub.start({
    yaml: `
node: { name: hub-b }
upstreams:
  servers: [{ name: upper, transport: radsec, host: 127.0.0.1, port: ${a.radsecPort}, psk: ${below}, mayTrigger: true, reconnect: { floor: 500ms, cap: 1s } }]
  pools: [{ name: upper, servers: upper }]
realms: [{ pool: upper }]
`,
  });
  return { a, b };
}

describe("an upstream over RadSec with a PSK", () => {
  it.each(["TLSv1.3", "TLSv1.2"])("PSK-01 PSK-07 is reached over %s, and sends Disconnects back down", async (tls) => {
    const { a, b } = await chain(psk(tls), psk(tls));
    await connected(b);
    expect(await a.event("link.up", ({ client }) => client === "hub-b")).toMatchObject({
      peer: IDENTITY,
      protocol: expect.stringMatching(`${tls} .*(SHA256|POLY1305)`) as string,
    });
    const nas = await RawNas.dial(b.radsecPort, await b.credentials("router-1"));
    nas.request(CODE.accessRequest, [textAttribute(32, "router-1"), textAttribute(1, "nemo")], 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessReject);
    await knows(a, "router-1");
    const asked = post(a, "/disconnect?nas_identifier=router-1&username=nemo");
    nas.answer(await nas.packet(1));
    expect((await asked).status).toBe(200);
  });

  it.each([
    { what: "another key", below: psk("TLSv1.3", OTHER_KEY) },
    { what: "another version of TLS (PSK-02)", below: psk("TLSv1.2") },
    { what: "an identity that it does not know", below: psk("TLSv1.3").replace("hub-b", "hub-x") },
  ])("PSK-10 is not reached with $what: nothing is forwarded, the operator is told", async ({ below }) => {
    const { a, b } = await chain(psk("TLSv1.3"), below);
    const { detail } = await b.event("upstream.down");
    expect(detail).not.toBe("");
    expect(detail).not.toContain("0001020304");
    expect(a.eventsOf("link.up").filter(({ client }) => client === "hub-b")).toEqual([]);
    const nas = await RawNas.dial(b.radsecPort, await b.credentials("router-1"));
    nas.request(CODE.accessRequest, [textAttribute(32, "router-1"), textAttribute(1, "nemo")], 1);
    const reply = await nas.packet(0);
    expect([reply.code, firstInteger(reply.attributes, 101)]).toEqual([CODE.protocolError, 502]);
  });
});

describe("a server that takes no PSK", () => {
  let pki: TestPki;
  beforeAll(async () => {
    pki = await makeTestPki();
  });

  it("TLS-08 proves nothing by a certificate, were it the right one: it gets no RADIUS", async () => {
    const home = await TlsRadiusServer.start({ ca: pki.ca, server: pki.hub });
    const key = { identity: IDENTITY, key: new PskKey(Buffer.alloc(32, 7)), tls: "TLSv1.3" } as const;
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki, { psk: key })] });
    await vi.waitFor(() => expect(hub.changes).toEqual(["down home"]), WAIT);
    expect([...home.probes, ...home.requests]).toEqual([]);
  });
});
