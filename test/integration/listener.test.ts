import { once } from "node:events";
import { getCACertificates, type SecureVersion, setDefaultCACertificates } from "node:tls";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { RefusalReason } from "../../src/transport/refusal.ts";
import { clientEntry } from "../support/client-entries.ts";
import {
  gone,
  ListenerFixture,
  listenerOptions,
  makeTestPki,
  statusServer,
  type TestPki,
  WAIT,
} from "../support/listener-fixture.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { SERVER_AUTH, TestCa, type TestCertificate } from "../support/test-pki.ts";

const HOUR_MS = 3_600_000;
const VERSIONS: SecureVersion[] = ["TLSv1.2", "TLSv1.3"];

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

const ago = () => new Date(Date.now() - HOUR_MS);
const ahead = () => new Date(Date.now() + HOUR_MS);

describe("RadsecListener admission", () => {
  it.each(VERSIONS)("TLS-05 TLS-08 TLS-27 makes a link of a router with a certificate over %s", async (version) => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { link } = await hub.link(pki.nas, { minVersion: version, maxVersion: version });
    expect(link).toMatchObject({
      kind: "tls",
      listener: "main",
      address: "127.0.0.1",
      peer: { kind: "certificate", commonName: "edge-1", san: { dns: ["edge-1.nas.example"] }, issuer: "CN=Test CA" },
      client: { name: "routers" },
    });
    expect(link.protocol).toMatch(version);
    expect(hub.listener.links).toBe(1);
    expect(hub.listener.halfOpen).toBe(0);
  });

  it("TLS-05 lands on TLS 1.3 with a router that can do both", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    expect((await hub.link(pki.nas, { minVersion: "TLSv1.2" })).link.protocol).toMatch(/^TLSv1\.3 TLS_/);
  });

  const certificates: Record<string, { reason: RefusalReason; make: () => Promise<Partial<TestCertificate>> }> = {
    "TLS-08 no certificate": { reason: "no-certificate", make: () => Promise.resolve({}) },
    "TLS-09 an expired one": { reason: "expired", make: () => pki.ca.issue({ notAfter: ago() }) },
    "TLS-09 one of tomorrow": { reason: "not-yet-valid", make: () => pki.ca.issue({ notBefore: ahead() }) },
    "TLS-09 one of another CA": {
      reason: "unknown-ca",
      make: async () => await (await TestCa.create("Other")).issue(),
    },
    "TLS-09 one of a CA with the same name": {
      reason: "unknown-ca",
      make: async () => await (await TestCa.create()).issue(),
    },
    "TLS-09 a broken chain": { reason: "unknown-ca", make: async () => (await pki.ca.intermediate("Below")).issue() },
    "TLS-09 a self-signed one": { reason: "self-signed", make: () => TestCa.selfSigned() },
    "TLS-09 one for servers only": { reason: "wrong-purpose", make: () => pki.ca.issue({ usage: [SERVER_AUTH] }) },
    "TLS-18 one of nobody in `clients`": { reason: "not-in-clients", make: () => pki.ca.issue({ dns: ["x.example"] }) },
  };
  for (const version of VERSIONS) {
    it.each(Object.entries(certificates))(
      `refuses %s over ${version}, and says so`,
      async (_what, { reason, make }) => {
        const clients = [clientEntry({ match: { san: { dns: ["edge-1.nas.example"] } } })];
        const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
        const router = hub.dial(await make(), { minVersion: version, maxVersion: version });
        router.write(statusServer());
        let octets = 0;
        router.on("data", (chunk: Buffer) => (octets += chunk.length));
        expect(await hub.nextRefusal(0)).toMatchObject({ listener: "main", address: "127.0.0.1", reason });
        await gone(router);
        expect({ octets, links: hub.listener.links, opened: hub.opened.length }).toEqual({
          octets: 0,
          links: 0,
          opened: 0,
        });
        expect(hub.refusals).toHaveLength(1);
      },
    );
  }

  it("TLS-09 admits a router that sends its intermediate CA along", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const below = await pki.ca.intermediate("Below");
    const { certificate, key, serialNumber } = await below.issue();
    await hub.link({ certificate: certificate + below.certificate, key, serialNumber });
  });

  it("TLS-09 admits a certificate without extended key usage", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    await hub.link(await pki.ca.issue({ usage: undefined }));
  });

  it("TLS-10 trusts nobody without a configured CA, not even the system's CAs, and warns of it", async () => {
    const system = getCACertificates("default");
    onTestFinished(() => setDefaultCACertificates(system));
    setDefaultCACertificates([pki.ca.certificate]);
    const options = listenerOptions(pki);
    const hub = await ListenerFixture.start({ ...options, tls: { ...options.tls, ca: [] } });
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("unknown-ca");
    expect(hub.listener.warnings()).toEqual([expect.stringMatching(/main: no CA/)]);
  });

  it("TLS-13 TLS-14 TLS-15 names the subject and SANs of who is not in `clients`", async () => {
    const clients = [clientEntry({ match: { san: { dns: ["*.core.example"] } } })];
    const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
    hub.dial(pki.nas);
    expect(await hub.nextRefusal(0)).toMatchObject({
      reason: "not-in-clients",
      detail: 'subject "CN=edge-1", SAN "edge-1.nas.example", issuer "CN=Test CA"',
    });
    await hub.link(await pki.ca.issue({ dns: ["x.core.example"] }));
  });

  it("TLS-17 CON-15 tells two routers behind one address apart, and takes several links of one", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const other = await pki.ca.issue({ dns: ["edge-2.nas.example"] });
    const keys = [];
    for (const router of [pki.nas, pki.nas, pki.nas, pki.nas, other]) keys.push((await hub.link(router)).link.peerKey);
    expect(new Set(keys).size).toBe(2);
    expect(hub.listener.links).toBe(5);
  });

  it("invariant 1: a renewed certificate is the same peer", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { link } = await hub.link(pki.nas);
    const renewed = await hub.link(await pki.ca.issue({ dns: ["edge-1.nas.example"] }));
    expect(renewed.link.peerKey).toBe(link.peerKey);
  });

  it("TLS-19 admits by network and refuses from elsewhere", async () => {
    const clients = [clientEntry({ match: { admitEvery: true, network: ["127.0.0.2/32"] } })];
    const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
    await hub.link(pki.nas, { localAddress: "127.0.0.2" });
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("not-in-clients");
  });
});

describe("RadsecListener and what is no handshake", () => {
  const octets: Record<string, Buffer> = {
    "TLS-04 plain RADIUS": statusServer(),
    "TLS-04 an Access-Request": Buffer.from(`0100001400${"00".repeat(15)}`, "hex"),
    "TLS-04 HTTP": Buffer.from("GET / HTTP/1.1\r\nHost: hub\r\n\r\n"),
    "TLS-04 SSH": Buffer.from("SSH-2.0-OpenSSH_9.2\r\n"),
    "TLS-04 zeros": Buffer.alloc(4_096),
    "TLS-04 noise": Buffer.alloc(4_096, 0xaa),
    "TLS-04 a TLS record of noise": Buffer.concat([Buffer.from("1603010020", "hex"), Buffer.alloc(32, 7)]),
    "a PROXY header from no listed balancer": Buffer.from("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n"),
  };
  it.each(Object.entries(octets))("%s is not-tls; a healthy link beside it does not notice", async (_what, garbage) => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { link, socket } = await hub.link(pki.nas);
    const stranger = await hub.dialTcp();
    const answer: Buffer[] = [];
    stranger.on("data", (chunk: Buffer) => answer.push(chunk));
    stranger.write(garbage);
    expect((await hub.nextRefusal(0)).reason).toBe("not-tls");
    await gone(stranger);
    // At most a TLS alert (record type 21), never RADIUS.
    expect(Buffer.concat(answer)[0] ?? 21).toBe(21);
    const alive = once(socket, "data");
    socket.write(statusServer());
    await alive;
    expect(link.open).toBe(true);
  });

  it.each(["TLSv1", "TLSv1.1"] as const)("TLS-05 refuses %s", async (version) => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    hub.dial(pki.nas, { minVersion: version, maxVersion: version, ciphers: "DEFAULT@SECLEVEL=0" });
    expect((await hub.nextRefusal(0)).reason).toBe("tls-version");
  });

  it("TLS-05 refuses TLS 1.2 where the listener wants 1.3", async () => {
    const options = listenerOptions(pki);
    const hub = await ListenerFixture.start({ ...options, tls: { ...options.tls, minVersion: "TLSv1.3" } });
    hub.dial(pki.nas, { maxVersion: "TLSv1.2" });
    expect((await hub.nextRefusal(0)).reason).toBe("tls-version");
  });

  it.each(["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256", "ECDHE-ECDSA-NULL-SHA"])(
    "TLS-06 has no cipher in common with a router that offers only %s",
    async (suite) => {
      const hub = await ListenerFixture.start(listenerOptions(pki));
      hub.dial(pki.nas, { maxVersion: "TLSv1.2", ciphers: `${suite}:@SECLEVEL=0` });
      expect((await hub.nextRefusal(0)).reason).toBe("no-shared-cipher");
    },
  );

  it("TLS-22 R11-03 refuses radius/1.1 alone and echoes radius/1.0 out of any offer", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const refused = once(hub.dial(pki.nas, { ALPNProtocols: ["radius/1.1"] }), "error");
    expect((await hub.nextRefusal(0)).reason).toBe("alpn");
    expect((await refused)[0]).toMatchObject({ code: expect.stringContaining("NO_APPLICATION_PROTOCOL") });
    const future = { ALPNProtocols: ["radius/2.0", "radius/1.1", "radius/1.0"] };
    expect((await hub.link(pki.nas, future)).socket.alpnProtocol).toBe("radius/1.0");
    expect((await hub.link(pki.nas)).socket.alpnProtocol).toBe(false);
  });

  it("says reset for a router that goes in the middle, with FIN and with RST", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const polite = await hub.dialTcp();
    polite.end(Buffer.from("16", "hex"));
    expect((await hub.nextRefusal(0)).reason).toBe("reset");
    const rude = await hub.dialTcp();
    await vi.waitFor(() => expect(hub.listener.halfOpen).toBe(1), WAIT);
    rude.resetAndDestroy();
    expect((await hub.nextRefusal(1)).reason).toBe("reset");
    expect(hub.listener.halfOpen).toBe(0);
  });

  it("CON-17 ends a handshake that is not over in time, on the injected clock", async () => {
    const clock = new ManualClock(Date.now());
    const hub = await ListenerFixture.start(listenerOptions(pki), { clock });
    const silent = await hub.dialTcp();
    const begun = await hub.dialTcp();
    begun.write(Buffer.from("160301", "hex"));
    await vi.waitFor(() => expect(hub.listener.halfOpen).toBe(2), WAIT);
    clock.advance(4_900);
    expect(hub.refusals).toEqual([]);
    clock.advance(200);
    expect(hub.refusals.map(({ reason }) => reason)).toEqual(["handshake-timeout", "handshake-timeout"]);
    await Promise.all([gone(silent), gone(begun)]);
  });
});

describe("RadsecListener and TLS features that it must not have", () => {
  it.each(VERSIONS)("TLS-20 R11-04 resumes nothing over %s: the certificate is asked for again", async (version) => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const only = { minVersion: version, maxVersion: version };
    const sessions: Buffer[] = [];
    const first = hub.dial(pki.nas, only);
    first.on("session", (session: Buffer) => sessions.push(session));
    await once(first, "secureConnect");
    first.write(statusServer());
    await once(first, "data");
    const session = sessions.at(-1) ?? first.getSession();
    expect(session).toBeDefined();
    if (session === undefined) return;

    const again = hub.dial(pki.nas, { ...only, session });
    await once(again, "secureConnect");
    expect(again.isSessionReused()).toBe(false);
    const thief = hub.dial({}, { ...only, session });
    expect((await hub.nextRefusal(0)).reason).toBe("no-certificate");
    expect(thief.isSessionReused()).not.toBe(true);
  });

  it("TLS-07 TLS-08 a router that renegotiates under TLS 1.2 gets no second handshake", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { socket } = await hub.link(pki.nas, { maxVersion: "TLSv1.2" });
    const failed = await new Promise<Error | null>((resolve) => {
      socket.once("error", resolve);
      socket.renegotiate({}, resolve);
    });
    expect(failed).toMatchObject({ code: expect.stringMatching(/NO_RENEGOTIATION/) });
  });
});
