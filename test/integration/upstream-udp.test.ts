import { beforeAll, describe, expect, it, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { ATTRIBUTE, firstValue } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideMppeKey, hideUserPassword, revealMppeKey, revealUserPassword } from "../../src/radius/hidden.ts";
import { ForwardingHub, radsecServer, UPSTREAM_SECRET, udpServer } from "../support/forwarding-hub.ts";
import { makeTestPki, type TestPki } from "../support/listener-fixture.ts";
import { accept, type Script, silent, TlsRadiusServer, UdpRadiusServer } from "../support/radius-servers.ts";
import { NAS, request, SECRET, UdpFixture, UdpHost, USER, WAIT } from "../support/udp-fixture.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

/** A router that speaks UDP, and a home server behind RadSec. */
async function udpToRadsec(script: Script = accept) {
  const home = await TlsRadiusServer.start({ ca: pki.ca, server: pki.hub }, script);
  const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
  await hub.state("home", "alive");
  const listener = { rejectDelayMs: { min: 5_000, max: 5_000 } };
  const udp = await UdpFixture.start({ handler: hub.handler, listener });
  return { home, hub, udp, router: await UdpHost.open(), auth: udp.port("auth"), acct: udp.port("acct") };
}

describe("a router behind UDP, an upstream behind RadSec", () => {
  it("UL-21 DP-07 CON-07 five copies in, one out, one answer", async () => {
    const { home, udp, router, auth } = await udpToRadsec(silent);
    const copy = request(CODE.accessRequest);
    for (let each = 0; each < 5; each += 1) router.send(copy, auth);
    await vi.waitFor(() => expect(udp.reasons().filter((reason) => reason === "duplicate")).toHaveLength(4), WAIT);
    await home.request(0);
    home.script = accept;
    await router.ask(request(CODE.accessRequest, [NAS, USER], 2), auth);
    expect(home.requests).toHaveLength(2);
    expect(router.received).toHaveLength(1);
  });

  it("CRY-15 CRY-11 a password and a key get from one secret to the other and back", async () => {
    const key = Buffer.alloc(32, 0xab);
    const { home, router, auth } = await udpToRadsec(({ authenticator }) => {
      const hidden = hideMppeKey(key, 0x8001, RADSEC_SECRET, authenticator);
      const value = Buffer.concat([Buffer.from([0, 0, 1, 0x37, 17, hidden.length + 2]), hidden]);
      return { code: CODE.accessAccept, attributes: [{ type: ATTRIBUTE.vendorSpecific, value }] };
    });
    const authenticator = systemRandom.bytes(16);
    const password = {
      type: ATTRIBUTE.userPassword,
      value: hideUserPassword(Buffer.from("pw"), SECRET, authenticator),
    };
    const reply = await router.ask(
      encodeRequest(CODE.accessRequest, 1, [NAS, USER, password], authenticator, SECRET),
      auth,
    );
    const asked = await home.request(0);
    const hidden = firstValue(asked.attributes, ATTRIBUTE.userPassword) as Buffer;
    expect(revealUserPassword(hidden, RADSEC_SECRET, asked.authenticator)?.toString()).toBe("pw");
    const vendorValue = firstValue(reply.attributes, ATTRIBUTE.vendorSpecific) as Buffer;
    expect(revealMppeKey(vendorValue.subarray(6), SECRET, authenticator)).toEqual(key);
    expect(reply.octets[20]).toBe(ATTRIBUTE.messageAuthenticator); // BR-01
  });

  it("UL-18 an Access-Reject of the upstream is not delayed", async () => {
    const { router, auth } = await udpToRadsec(() => ({ code: CODE.accessReject }));
    const begun = performance.now();
    expect((await router.ask(request(CODE.accessRequest), auth)).code).toBe(CODE.accessReject);
    expect(performance.now() - begun).toBeLessThan(2_500);
  });

  it("UL-10 PE-06 a record that the upstream does not confirm is not confirmed, and nobody hears a Protocol-Error", async () => {
    const { home, hub, udp, router, auth, acct } = await udpToRadsec(silent);
    router.send(request(CODE.accountingRequest), acct);
    await udp.drop(1);
    home.close();
    await hub.state("home", "dead");
    router.send(request(CODE.accountingRequest, undefined, 2), acct);
    router.send(request(CODE.accessRequest), auth);
    await udp.drop(3);
    expect(udp.reasons()).toEqual(["handler-discard", "handler-discard", "handler-discard"]);
    expect(router.received).toEqual([]);
  });
});

describe("a router behind UDP that sends again while a server of the pool dies", () => {
  it("UL-06 CRY-04 its copies change nothing: the request moves once, and the copies get the one answer", async () => {
    const [first, second] = [
      await UdpRadiusServer.start(UPSTREAM_SECRET, silent),
      await UdpRadiusServer.start(UPSTREAM_SECRET, silent),
    ];
    const servers = [udpServer("first", first.port), udpServer("second", second.port, { replyTimeoutMs: 20_000 })];
    const hub = await ForwardingHub.start(pki, { servers, timeoutMs: 30_000 });
    const udp = await UdpFixture.start({ handler: hub.handler });
    const router = await UdpHost.open();
    const copy = request(CODE.accessRequest);
    const send = () => router.send(copy, udp.port("auth"));
    send();
    await first.request(0);
    send();
    await second.request(0);
    send();
    await udp.drop(2);
    second.script = accept;
    await router.packet(0);
    send();
    await router.packet(1);
    expect(udp.reasons()).toEqual(["duplicate", "duplicate"]);
    expect(router.received[1]?.octets).toEqual(router.received[0]?.octets);
    // One request each, however often the hub has sent that itself.
    const asked = [first, second].map(
      ({ requests }) => new Set(requests.map(({ authenticator }) => `${authenticator.toString("hex")}`)),
    );
    expect(asked.map(({ size }) => size)).toEqual([1, 1]);
    expect([...(asked[0] ?? [])]).not.toEqual([...(asked[1] ?? [])]);
  });
});
