import { once } from "node:events";
import type { TLSSocket } from "node:tls";
import { beforeAll, describe, expect, it } from "vitest";
import { ClientDirectory } from "../../src/transport/client-directory.ts";
import type { PskVersion } from "../../src/transport/psk.ts";
import type { RefusalReason } from "../../src/transport/refusal.ts";
import { clientEntry } from "../support/client-entries.ts";
import {
  answersStatus,
  gone,
  ListenerFixture,
  listenerOptions,
  makeTestPki,
  statusServer,
  type TestPki,
} from "../support/listener-fixture.ts";
import { PSK, pskEntry, pskHello, pskRouter, takesPsk, type TestPsk } from "../support/psk-routers.ts";

const VERSIONS: readonly PskVersion[] = ["TLSv1.2", "TLSv1.3"];
const OTHER_KEY = Buffer.alloc(32, 0xa5);
const CERTIFICATES = clientEntry({ name: "certificates" });

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

async function hubFor(...clients: Parameters<typeof pskEntry>[0][]): Promise<ListenerFixture> {
  return await ListenerFixture.start(listenerOptions(pki), {
    clients: [...clients.map((psks) => pskEntry(psks)), CERTIFICATES],
  });
}

/** Dials, says something at once, and answers with the refusal; no octet of RADIUS may come back, nor a link. */
async function refusalOf(hub: ListenerFixture, options: Parameters<ListenerFixture["dial"]>[1]) {
  const before = hub.refusals.length;
  const router = hub.dial({}, options);
  router.write(statusServer());
  let octets = 0;
  router.on("data", (chunk: Buffer) => (octets += chunk.length));
  const refusal = await hub.nextRefusal(before);
  await gone(router);
  expect({ octets, opened: hub.opened.length, refusals: hub.refusals.length }).toEqual({
    octets: 0,
    opened: 0,
    refusals: before + 1,
  });
  return refusal;
}

describe.each(VERSIONS)("RadsecListener and a PSK of %s", (tls) => {
  const psk: TestPsk = { identity: "edge-1@nas.example", tls };

  it("PSK-01 TLS-17 TLS-27 opens a link whose peer is the identity", async () => {
    const hub = await hubFor([psk]);
    const { link } = await hub.link({}, pskRouter(psk));
    expect(link).toMatchObject({ peer: { kind: "psk", identity: psk.identity }, peerKey: `psk:${psk.identity}` });
    expect(link.client.name).toBe("psk");
    expect(link.protocol).toMatch(tls === "TLSv1.2" ? /^TLSv1\.2 ECDHE-PSK-/ : /^TLSv1\.3 TLS_.*_SHA256$/);
    expect(hub.listener.halfOpen).toBe(0);
  });

  it.each([16, 32, 64, 512])("PSK-03 takes a key of %i octets", async (octets) => {
    const long = { ...psk, key: Buffer.alloc(octets, 9) };
    await (await hubFor([long])).link({}, pskRouter(long));
  });

  it.each([1, 128, 256])("PSK-05 takes an identity of %i octets", async (octets) => {
    const long = { ...psk, identity: "x".repeat(octets) };
    const { link } = await (await hubFor([long])).link({}, pskRouter(long));
    expect(link.peerKey).toBe(`psk:${long.identity}`);
  });

  it.each([
    ["an unknown one", "edge-2@nas.example"],
    ["SQL", "' OR 1=1; --"],
    ["a control character", "edge-1@nas.example\n"],
    ["one that turns the line round", "\u202Eedge-1"],
  ])("PSK-06 PSK-10 PSK-15 refuses %s, names identity and address, reads no RADIUS", async (_what, identity) => {
    const hub = await hubFor([psk]);
    const refusal = await refusalOf(hub, pskRouter({ ...psk, identity }));
    expect(refusal).toMatchObject({ reason: "unknown-psk-identity", address: "127.0.0.1" });
    expect(refusal.detail).toMatch(/^PSK identity "[ -~]+" (is in no entry|has control)/);
    expect(hub.listener.links).toBe(0);
  });

  it("PSK-10 refuses a wrong key, and says whose", async () => {
    const refusal = await refusalOf(await hubFor([psk]), pskRouter({ ...psk, key: OTHER_KEY }));
    expect(refusal).toMatchObject({ reason: "wrong-psk", detail: 'PSK identity "edge-1@nas.example": not this key' });
  });

  it("PSK-02 refuses a key in the version of TLS that it is not for", async () => {
    const wrong = tls === "TLSv1.2" ? "TLSv1.3" : "TLSv1.2";
    const hub = await hubFor([psk, { identity: "edge-2", tls: wrong, key: OTHER_KEY }]);
    const refusal = await refusalOf(hub, pskRouter({ ...psk, tls: wrong }));
    expect(refusal).toMatchObject({ reason: "tls-version", detail: expect.stringContaining(`for ${tls} alone`) });
    await hub.link({}, pskRouter(psk));
  });

  it("PSK-08 PSK-09 takes several identities behind one address, each from its own networks", async () => {
    const edge2 = { identity: "edge-2", key: OTHER_KEY, tls };
    const clients = [
      pskEntry([psk], { name: "a" }, ["127.0.0.0/30"]),
      pskEntry([edge2], { name: "b" }, ["127.0.0.2/32", "127.0.0.8/29"]),
      CERTIFICATES,
    ];
    const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
    const from = (n: number, which: TestPsk) => ({ ...pskRouter(which), localAddress: `127.0.0.${n}` });
    for (const [n, which, name] of [
      [1, psk, "a"],
      [2, psk, "a"],
      [2, edge2, "b"],
      [9, edge2, "b"],
    ] as const) {
      expect((await hub.link({}, from(n, which))).link.client.name).toBe(name);
    }
    const keys = hub.opened.filter(({ address }) => address === "127.0.0.2").map(({ peerKey }) => peerKey);
    expect(keys).toEqual(["psk:edge-1@nas.example", "psk:edge-2"]);
    const refusals: Record<string, readonly [number, TestPsk, RefusalReason, RegExp]> = {
      "another's network": [9, psk, "unknown-psk-identity", /in no entry of `clients` for its address/],
      "nobody's network": [40, psk, "not-in-clients", /comes from an address that may offer none/],
    };
    for (const [what, [n, which, reason, detail]] of Object.entries(refusals)) {
      const before = hub.refusals.length;
      hub.dial({}, from(n, which));
      expect(await hub.nextRefusal(before), what).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    }
  });

  it("PSK-13 takes certificates and PSKs at the same time from the same address", async () => {
    const hub = await hubFor([psk]);
    const links = [await hub.link({}, pskRouter(psk)), await hub.link(pki.nas), await hub.link({}, pskRouter(psk))];
    expect(links.map(({ link }) => link.peer.kind)).toEqual(["psk", "certificate", "psk"]);
    for (const { socket } of links) await answersStatus(socket);
    expect(hub.listener.links).toBe(3);
  });

  it("ends a link when its identity or its key is taken away, and no other", async () => {
    const edge2 = { identity: "edge-2", key: OTHER_KEY, tls };
    const hub = await hubFor([psk], [edge2]);
    const [first, second] = [await hub.link({}, pskRouter(psk)), await hub.link({}, pskRouter(edge2))];
    hub.clients = new ClientDirectory([pskEntry([psk], { name: "renamed" }), pskEntry([{ ...edge2, key: PSK }])]);
    hub.listener.reauthorise();
    expect(await hub.closeOf(second.link)).toMatchObject({ reason: "client-removed", detail: "its PSK has changed" });
    await answersStatus(first.socket);
    expect(first.link.client.name).toBe("renamed");
    hub.clients = new ClientDirectory([CERTIFICATES]);
    hub.listener.reauthorise();
    expect(await hub.closeOf(first.link)).toMatchObject({ reason: "client-removed" });
  });

  it("PSK-07 a listener without PSK entries gets them at run time, suites and all", async () => {
    const hub = await hubFor();
    hub.dial({}, pskRouter(psk));
    expect((await hub.nextRefusal(0)).reason).toBe(tls === "TLSv1.2" ? "no-shared-cipher" : "not-in-clients");
    hub.clients = new ClientDirectory([pskEntry([psk])]);
    hub.listener.reauthorise();
    await hub.link({}, pskRouter(psk));
  });
});

describe("RadsecListener and what OpenSSL makes of a PSK", () => {
  const psk: TestPsk = { identity: "edge-1" };

  it("PSK-10 an identity whose key OpenSSL asked for and did not use proves nothing", async () => {
    const hub = await hubFor([psk]);
    // The key of TLS 1.3 is for SHA-256: the suite makes OpenSSL pass over it and go on with certificates.
    const router = { ...pskRouter({ ...psk, key: OTHER_KEY }), ciphers: "TLS_AES_256_GCM_SHA384" };
    const refusal = await refusalOf(hub, router);
    expect(refusal).toMatchObject({ reason: "no-shared-cipher", detail: expect.stringContaining("SHA-256") });
  });

  it("PSK-10 judges by the keys at admission, not when the handshake asked for one", async () => {
    const hub = await hubFor([psk]);
    const [before, after] = [hub.clients, new ClientDirectory([pskEntry([{ ...psk, key: OTHER_KEY }])])];
    let asked = false;
    before.psk = (identity, address) => {
      hub.clients = after;
      asked = true;
      return ClientDirectory.prototype.psk.call(before, identity, address);
    };
    const refusal = await refusalOf(hub, pskRouter(psk));
    expect(asked).toBe(true);
    expect(refusal).toMatchObject({ reason: "unknown-psk-identity", detail: expect.stringContaining("just changed") });
  });

  it("PSK-13 a router whose PSK is unknown can go on with its certificate", async () => {
    const hub = await hubFor([psk]);
    const { link } = await hub.link(pki.nas, pskRouter({ identity: "old" }));
    expect(link.peer.kind).toBe("certificate");
  });

  it.each(["PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-GCM-SHA256", "DHE-PSK-AES128-GCM-SHA256", "ECDHE-PSK-NULL-SHA256"])(
    "PSK-07 does not speak %s",
    async (ciphers) => {
      const weak = { identity: "edge-1", tls: "TLSv1.2" } as const;
      const hub = await hubFor([weak]);
      const refusal = await refusalOf(hub, { ...pskRouter(weak), ciphers: `${ciphers}:@SECLEVEL=0` });
      expect(refusal).toMatchObject({ reason: "no-shared-cipher", detail: "no shared cipher" });
    },
  );

  it("PSK-07 no setting of `ciphers` brings back a suite without forward secrecy", async () => {
    const weak = { identity: "edge-1", tls: "TLSv1.2" } as const;
    const options = listenerOptions(pki);
    const tls = { ...options.tls, ciphers: "PSK-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256" };
    const hub = await ListenerFixture.start({ ...options, tls }, { clients: [pskEntry([weak])] });
    const refusal = await refusalOf(hub, { ...pskRouter(weak), ciphers: "PSK-AES128-GCM-SHA256" });
    expect(refusal).toMatchObject({ reason: "no-shared-cipher", detail: "no shared cipher" });
  });

  const hellos = {
    "the identity as it is": { identity: Buffer.from("edge-1"), takes: true },
    "PSK-07 psk_ke alone": { identity: Buffer.from("edge-1"), modes: [0], takes: false },
    "PSK-07 psk_ke and psk_dhe_ke": { identity: Buffer.from("edge-1"), modes: [0, 1], takes: true },
    "PSK-06 a NUL in front": { identity: Buffer.from("\0edge-1"), takes: false },
    "PSK-06 bad UTF-8": { identity: Buffer.from("edge-1\xff", "latin1"), takes: false },
    "PSK-06 an overlong form": { identity: Buffer.from("edge-\xc0\xb1", "latin1"), takes: false },
    "PSK-05 257 octets": { identity: Buffer.alloc(257, "x"), takes: false },
    "PSK-05 1,025 octets": { identity: Buffer.alloc(1_025, "x"), takes: false },
  };
  it.each(Object.entries(hellos))("a ClientHello with %s", async (_what, { takes, ...hello }) => {
    const hub = await hubFor([psk]);
    const socket = await hub.dialTcp();
    socket.write(pskHello(hello));
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(takesPsk(answer)).toBe(takes);
    socket.destroy();
    const { detail = "" } = await hub.nextRefusal(0);
    expect(detail.length).toBeLessThan(400);
    expect(hub.opened).toEqual([]);
  });

  it("PSK-11 PSK-12 a ticket is no identity and is never taken, whoever got it", async () => {
    const hub = await hubFor([psk]);
    for (const router of [pskRouter(psk), { cert: pki.nas.certificate, key: pki.nas.key }]) {
      const session = await ticketOf(hub.dial({}, router));
      const before = hub.refusals.length;
      const thief = hub.dial({}, { session });
      // OpenSSL cuts what is offered at a NUL: now and then the random octets of a ticket begin like the name of somebody.
      expect(["no-certificate", "unknown-psk-identity"]).toContain((await hub.nextRefusal(before)).reason);
      expect(thief.isSessionReused()).not.toBe(true);
    }
  });

  it("PSK-08 an address outside every network gets no octet of TLS", async () => {
    const clients = [pskEntry([psk], {}, ["127.0.0.2/32"])];
    const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
    const socket = await hub.dialTcp();
    socket.write(pskHello({ identity: Buffer.from("edge-1") }));
    expect(await hub.nextRefusal(0)).toMatchObject({
      reason: "not-in-clients",
      detail: "no entry is for this address",
    });
    await gone(socket);
    expect(socket.bytesRead).toBe(0);
    await hub.link({}, { ...pskRouter(psk), localAddress: "127.0.0.2" });
  });
});

/** OpenSSL holds tickets back until the hub has something to write. */
async function ticketOf(router: TLSSocket): Promise<Buffer> {
  const [[session]] = (await Promise.all([once(router, "session"), answersStatus(router)])) as [[Buffer], unknown];
  return session;
}
