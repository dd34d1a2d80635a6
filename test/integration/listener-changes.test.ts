import { once } from "node:events";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { ClientDirectory } from "../../src/transport/client-directory.ts";
import type { RadsecListenerOptions } from "../../src/transport/radsec-listener.ts";
import { clientEntry } from "../support/client-entries.ts";
import {
  answersStatus,
  gone,
  ListenerFixture,
  listenerOptions,
  makeTestPki,
  type TestPki,
  WAIT,
} from "../support/listener-fixture.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { SERVER_AUTH, TestCa } from "../support/test-pki.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

function withTls(options: RadsecListenerOptions, tls: Partial<RadsecListenerOptions["tls"]>): RadsecListenerOptions {
  return { ...options, tls: { ...options.tls, ...tls } };
}

describe("RadsecListener.apply() and reauthorise()", () => {
  it("TLS-11 a revocation list that comes at run time ends that router's link and no other", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const spared = await hub.link(await pki.ca.issue({ dns: ["edge-2.nas.example"] }));
    const { link, socket } = await hub.link(pki.nas);
    const crl = [await pki.ca.revoke([pki.nas.serialNumber])];
    expect(hub.listener.apply(withTls(hub.options, { crl }))).toEqual([]);
    hub.listener.reauthorise();
    expect(await hub.closeOf(link)).toMatchObject({ reason: "certificate-revoked" });
    await gone(socket);
    await answersStatus(spared.socket);
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("revoked");
  });

  it("TLS-11 a CA that is taken away ends the links of its routers", async () => {
    const other = await TestCa.create("Other CA");
    const both = withTls(listenerOptions(pki), { ca: [pki.ca.certificate, other.certificate] });
    const hub = await ListenerFixture.start(both);
    const stays = await hub.link(pki.nas);
    const goes = await hub.link(await other.issue());
    hub.listener.apply(withTls(hub.options, { ca: [pki.ca.certificate] }));
    hub.listener.reauthorise();
    expect(await hub.closeOf(goes.link)).toMatchObject({
      reason: "ca-removed",
      detail: expect.stringMatching("Other CA"),
    });
    await answersStatus(stays.socket);
  });

  it("TLS-11 judges by what is trusted at admission, not when the handshake began", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const tcp = await hub.dialTcp();
    await vi.waitFor(() => expect(hub.listener.halfOpen).toBe(1), WAIT);
    hub.listener.apply(withTls(hub.options, { crl: [await pki.ca.revoke([pki.nas.serialNumber])] }));
    hub.listener.reauthorise();
    hub.dialOver(tcp, pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("revoked");
    expect(hub.opened).toEqual([]);
  });

  it("names an expired revocation list as the reason, and warns of it at start and at apply()", async () => {
    const crl = [await pki.ca.revoke([], new Date(Date.now() - 1_000))];
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { socket } = await hub.link(pki.nas);
    expect(hub.listener.warnings()).toEqual([]);
    hub.listener.apply(withTls(hub.options, { crl }));
    hub.listener.reauthorise();
    expect(hub.listener.warnings()).toEqual([expect.stringMatching(/radsec listener main: .*CN=Test CA expired on/)]);
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("crl-expired");
    await answersStatus(socket); // the age of a list says nothing of a router that was let in
  });

  it("says no-crl when the lists are of other CAs", async () => {
    const crl = [await (await TestCa.create("Other CA")).revoke([])];
    const hub = await ListenerFixture.start(withTls(listenerOptions(pki), { crl }));
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("no-crl");
    expect(hub.listener.warnings()).toEqual([expect.stringContaining("CN=Test CA has no revocation list")]);
  });

  it("shows a new certificate to new routers and drops no link", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const before = await hub.link(pki.nas);
    const renewed = await pki.ca.issue({ subject: "CN=hub renewed", usage: [SERVER_AUTH] });
    hub.listener.apply(withTls(hub.options, { certificate: renewed.certificate, key: renewed.key }));
    const after = await hub.link(pki.nas);
    expect(after.socket.getPeerCertificate().subject.CN).toBe("hub renewed");
    await answersStatus(before.socket);
  });

  it.each<[string, (options: RadsecListenerOptions) => RadsecListenerOptions, string]>([
    [
      "a foreign key",
      (options) => withTls(options, { key: pki.nas.key }),
      "the key does not belong to the certificate",
    ],
    ["a certificate that is none", (options) => withTls(options, { certificate: "x" }), "a PEM file can not be read"],
    [
      "a CA that is none",
      (options) => withTls(options, { ca: ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] }),
      "PEM",
    ],
    [
      "a list that is none",
      (options) => withTls(options, { crl: ["-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"] }),
      "",
    ],
    [
      "a CA file without a certificate",
      (options) => withTls(options, { ca: ["x"] }),
      "a CA file holds no PEM certificate",
    ],
    ["a list file without a list", (options) => withTls(options, { crl: [""] }), "a revocation file holds no PEM list"],
    ["no cipher suite", (options) => withTls(options, { ciphers: "NOTHING" }), ""],
    ["a network that is none", (options) => ({ ...options, proxyProtocolFrom: ["x"] }), '"x"'],
  ])("apply() with %s throws, and changes nothing", async (_what, spoil, message) => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const bad = { ...spoil(hub.options), limits: { ...hub.options.limits, links: 0 } };
    expect(() => hub.listener.apply(bad)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/ERR_PKI|ERR_INPUT/),
        message: expect.stringContaining(message),
      }),
    );
    await hub.link(pki.nas);
  });

  it("apply() takes limits at once and names what needs a restart", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    await hub.link(pki.nas);
    const limits = { ...hub.options.limits, links: 1 };
    expect(hub.listener.apply({ ...hub.options, limits, address: "127.0.0.2", port: 9 })).toEqual(["address", "port"]);
    hub.dial(pki.nas);
    expect((await hub.nextRefusal(0)).reason).toBe("too-many-links");
  });

  it("reauthorise() ends the link of a removed `clients` entry, and gives the others their new entry and peer", async () => {
    const entryOf = (name: string, more = {}) =>
      clientEntry({ name, match: { san: { dns: [`${name}.nas.example`] } }, ...more });
    const clients = [entryOf("edge-1"), entryOf("edge-2"), entryOf("edge-3")];
    const hub = await ListenerFixture.start(listenerOptions(pki), { clients });
    const removed = await hub.link(pki.nas);
    const kept = await hub.link(await pki.ca.issue({ dns: ["edge-2.nas.example"] }));
    const moved = await hub.link(await pki.ca.issue({ dns: ["edge-3.nas.example"] }));
    expect(moved.link.peerKey).toBe("client:edge-3");
    const changed = entryOf("edge-2", { mayTrigger: true });
    hub.clients = new ClientDirectory([
      changed,
      clientEntry({ name: "x", match: { san: { dns: ["edge-3.nas.example"] } } }),
    ]);
    hub.listener.reauthorise();
    expect(await hub.closeOf(removed.link)).toMatchObject({ reason: "client-removed" });
    expect(kept.link.client).toBe(changed);
    expect([moved.link.client.name, moved.link.peerKey]).toEqual(["x", "client:x"]);
    for (const { socket } of [kept, moved]) await answersStatus(socket);
  });
});

describe("RadsecListener and the end of a certificate", () => {
  it("TLS-12 closes a link when the router's certificate expires, not before", async () => {
    const clock = new ManualClock(Date.now());
    const hub = await ListenerFixture.start(listenerOptions(pki), { clock });
    const brief = await pki.ca.issue({ notAfter: new Date(clock.wallMs() + 2 * 3_600_000) });
    const { link, socket } = await hub.link(brief);
    const { link: longer } = await hub.link(pki.nas);
    clock.advance(2 * 3_600_000 - 2_000);
    expect(link.open).toBe(true);
    clock.advance(2_100);
    expect(await hub.closeOf(link)).toMatchObject({ reason: "certificate-expired" });
    await gone(socket);
    expect(longer.open).toBe(true);
  });

  it("TLS-12 a certificate of many years needs no timer that overflows", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { link } = await hub.link(await pki.ca.issue({ notAfter: new Date("2090-01-01T00:00:00Z") }));
    expect(link.open).toBe(true);
  });
});

describe("RadsecListener start and stop", () => {
  it("start() names a busy port and the listener in one line", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    await expect(ListenerFixture.start({ ...hub.options, name: "second", port: hub.port })).rejects.toMatchObject({
      code: "ERR_LISTEN",
      message: `radsec listener second can not listen on 127.0.0.1:${hub.port}: the port is in use by another process`,
    });
  });

  it("start() throws for a key of another certificate before it opens the port", async () => {
    const options = withTls(listenerOptions(pki), { key: pki.nas.key });
    await expect(ListenerFixture.start(options)).rejects.toMatchObject({ code: "ERR_PKI" });
  });

  it("stop() ends links with close_notify, turns half-open connections away and frees the port", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { link, socket } = await hub.link(pki.nas);
    const idle = await hub.dialTcp();
    await vi.waitFor(() => expect(hub.listener.halfOpen).toBe(1), WAIT);
    const ended = once(socket, "end"); // node:tls reports "end" for close_notify, not for a bare FIN
    await hub.listener.stop(1_000);
    await ended;
    expect(await hub.closeOf(link)).toMatchObject({ reason: "stopped" });
    expect((await hub.nextRefusal(0)).reason).toBe("stopping");
    await gone(idle);
    await ListenerFixture.start({ ...hub.options, port: hub.port });
  });

  it("pause() keeps links and takes no new ones", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { socket } = await hub.link(pki.nas);
    hub.listener.pause();
    await expect(hub.dialTcp()).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await answersStatus(socket);
  });

  it("stop() cuts a router that does not go within the grace time", async () => {
    const hub = await ListenerFixture.start(listenerOptions(pki));
    const { socket } = await hub.link(pki.nas);
    socket.pause(); // never reads the close_notify, so never answers it
    socket.on("end", () => undefined);
    const stopped = performance.now();
    await hub.listener.stop(100);
    expect(performance.now() - stopped).toBeLessThan(900);
  });
});
