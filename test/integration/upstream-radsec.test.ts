import { beforeAll, describe, expect, it, vi } from "vitest";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { RequestContext } from "../../src/transport/link.ts";
import { ForwardingHub, radsecServer } from "../support/forwarding-hub.ts";
import { makeTestPki, type TestPki, WAIT } from "../support/listener-fixture.ts";
import { silent, TlsRadiusServer } from "../support/radius-servers.ts";
import type { RawNas } from "../support/raw-nas.ts";
import { SERVER_AUTH, TestCa } from "../support/test-pki.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

function server(script = undefined as Parameters<typeof TlsRadiusServer.start>[1], port = 0): Promise<TlsRadiusServer> {
  return TlsRadiusServer.start({ ca: pki.ca, server: pki.hub }, script, port);
}

function ask(nas: RawNas, identifier: number): void {
  nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, `user ${identifier}`)], identifier);
}

function downDetails(hub: ForwardingHub): string[] {
  return hub.events.flatMap((event) => (event.type === "upstream.down" ? [event.detail] : []));
}

describe("a RadSec upstream", () => {
  it("WD-01 is asked over every link that is kept open; Identifier 0 is the watchdog's", async () => {
    const home = await server();
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki, { links: 3 })] });
    await home.links(3);
    await vi.waitFor(() => expect(home.probes).toHaveLength(3), WAIT);
    expect(home.probes.map(({ identifier }) => identifier)).toEqual([0, 0, 0]);
    const nas = await hub.dial();
    for (let each = 0; each < 30; each += 1) ask(nas, each);
    await nas.packet(29);
    expect(home.requests.map(({ identifier }) => identifier)).not.toContain(0);
    expect(hub.changes).toEqual(["up home"]);
  });

  it("gives each request to the link with the fewest under way", async () => {
    const home = await server(silent);
    const servers = [radsecServer("home", home.port, pki, { links: 2, replyTimeoutMs: 5_000 })];
    const hub = await ForwardingHub.start(pki, { servers });
    await vi.waitFor(() => expect(home.probes).toHaveLength(2), WAIT);
    const nas = await hub.dial();
    for (let each = 0; each < 6; each += 1) ask(nas, each);
    await home.request(5);
    // Each link counts its Identifiers by itself.
    expect(home.requests.map(({ identifier }) => identifier).toSorted((a, b) => a - b)).toEqual([1, 1, 2, 2, 3, 3]);
  });

  it("WD-06 CON-07 stays up when a request is not answered, and no copy of it is sent on the link", async () => {
    const home = await server(silent);
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    await hub.state("home", "alive");
    const nas = await hub.dial();
    for (let each = 0; each < 5; each += 1) ask(nas, each);
    await vi.waitFor(() => expect(hub.dropped.filter((reason) => reason === "handler-discard")).toHaveLength(5), WAIT);
    expect({ state: hub.stateOf("home"), requests: home.requests.length }).toEqual({ state: "alive", requests: 5 });
  });

  it("CON-08 CON-09 a request whose link closes goes over another one, under a new Authenticator", async () => {
    const home = await server(silent);
    const servers = [radsecServer("home", home.port, pki, { links: 2, replyTimeoutMs: 5_000 })];
    const hub = await ForwardingHub.start(pki, { servers, timeoutMs: 5_000 });
    await home.links(2);
    await vi.waitFor(() => expect(home.probes).toHaveLength(2), WAIT);
    const nas = await hub.dial();
    let asked = 0;
    home.script = () => {
      asked += 1;
      if (asked === 2) return { code: CODE.accessAccept };
      for (const socket of home.sockets.slice(0, 1)) socket.destroy();
      return undefined;
    };
    ask(nas, 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessAccept);
    const [one, other] = home.requests;
    expect(one?.attributes.slice(1)).toEqual(other?.attributes.slice(1));
    expect(one?.authenticator).not.toEqual(other?.authenticator);
  });

  it("fails over to another server while it is away; WD-07 dials again after the back-off, used at once", async () => {
    const home = await server();
    const spare = await server();
    const servers = [radsecServer("home", home.port, pki), radsecServer("spare", spare.port, pki)];
    const hub = await ForwardingHub.start(pki, { servers });
    await hub.state("home", "alive");
    await hub.state("spare", "alive");
    const nas = await hub.dial();
    ask(nas, 1);
    await nas.packet(0);
    home.close();
    await hub.state("home", "dead");
    const closedAt = performance.now();
    ask(nas, 2);
    await nas.packet(1);
    expect([home.requests.length, spare.requests.length]).toEqual([1, 1]);
    const back = await server(undefined, home.port);
    await hub.state("home", "alive");
    expect(performance.now() - closedAt).toBeGreaterThanOrEqual(450);
    ask(nas, 3);
    await nas.packet(2);
    expect(back.requests).toHaveLength(1);
    expect(hub.changes).toEqual(["up home", "up spare", "down home", "up home"]);
  });

  it("WD-06 what stays unanswered goes to the next server when its time is over, and the silent one stays up", async () => {
    const [home, spare] = [await server(silent), await server()];
    const servers = [radsecServer("home", home.port, pki), radsecServer("spare", spare.port, pki)];
    const hub = await ForwardingHub.start(pki, { servers, timeoutMs: 30_000 });
    await hub.state("home", "alive");
    await hub.state("spare", "alive");
    const nas = await hub.dial();
    ask(nas, 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessAccept);
    expect([home.requests.length, spare.requests.length, hub.stateOf("home")]).toEqual([1, 1, "alive"]);
    expect(spare.requests[0]?.authenticator).not.toEqual(home.requests[0]?.authenticator); // CRY-04
  });

  it("CON-10 all is over when no answer is of use any more, however long one server may take", async () => {
    const [home, spare] = [await server(silent), await server()];
    const servers = [
      radsecServer("home", home.port, pki, { replyTimeoutMs: 60_000 }),
      radsecServer("spare", spare.port, pki),
    ];
    const hub = await ForwardingHub.start(pki, { servers, timeoutMs: 300 });
    await hub.state("home", "alive");
    await hub.state("spare", "alive");
    ask(await hub.dial(), 1);
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    expect(spare.requests).toEqual([]);
  });

  it("PE-01 a link that closes over a request is no word that nobody was reached: the router hears nothing", async () => {
    const home = await server(silent);
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    await hub.state("home", "alive");
    const nas = await hub.dial();
    ask(nas, 1);
    await home.request(0);
    home.sockets[0]?.destroy();
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    expect(nas.received).toEqual([]);
  });

  it("PE-01 nobody is connected: 502 at once", async () => {
    const home = await server();
    home.close();
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    const nas = await hub.dial();
    ask(nas, 1);
    expect((await nas.packet(0)).code).toBe(CODE.protocolError);
    await vi.waitFor(() => expect(downDetails(hub)).toEqual(["ECONNREFUSED"]), WAIT);
  });

  it("TLS-14 a server that is somebody else is not spoken to; nothing but TLS reaches it", async () => {
    const home = await server();
    const servers = [radsecServer("home", home.port, pki, { serverName: "radius.example" })];
    const hub = await ForwardingHub.start(pki, { servers });
    await vi.waitFor(() => expect(downDetails(hub)).toHaveLength(1), WAIT);
    expect(downDetails(hub)[0]).toMatch(/not for radius\.example, its names are "DNS:localhost"/);
    expect([...home.probes, ...home.requests]).toEqual([]);
  });

  it("TLS-14 a Common Name alone is nobody", async () => {
    const named = await pki.ca.issue({ subject: "CN=localhost", usage: [SERVER_AUTH] });
    const home = await TlsRadiusServer.start({ ca: pki.ca, server: named });
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    await vi.waitFor(() => expect(downDetails(hub)).toHaveLength(1), WAIT);
    expect(home.probes).toEqual([]);
  });

  it("TLS-10 a server of a CA that is not configured is refused", async () => {
    const stranger = await TestCa.create("Another CA");
    const home = await TlsRadiusServer.start({
      ca: pki.ca,
      server: await stranger.issue({ dns: ["localhost"], usage: [SERVER_AUTH] }),
    });
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    await vi.waitFor(() => expect(downDetails(hub)).toEqual([expect.stringContaining("unknown-ca")]), WAIT);
  });

  it("TLS-25 WD-08 the hub does not speak to itself", async () => {
    const hub = await ForwardingHub.start(pki, { servers: [] });
    hub.apply({ servers: [radsecServer("self", hub.port, pki)] });
    await vi.waitFor(() => expect(downDetails(hub)).toEqual(["it is this hub itself"]), WAIT);
    expect(hub.stateOf("self")).toBe("dead");
    expect(hub.listener.links).toBe(0);
  });

  it("WD-04 a server that is silent for two watchdog periods is dropped, and WD-05 proves itself three times when it is back", async () => {
    const home = await server(silent);
    home.answersStatus = false;
    // Below the floor of WD-02, which the configuration keeps: so that the test is short.
    const servers = [radsecServer("home", home.port, pki, { watchdogMs: 3_000 })];
    const hub = await ForwardingHub.start(pki, { servers });
    await hub.state("home", "alive");
    await hub.state("home", "dead");
    expect(downDetails(hub)).toEqual([expect.stringContaining("watchdog")]);
    expect(home.probes).toHaveLength(1);
    home.answersStatus = true;
    await home.probe(1);
    expect(hub.stateOf("home")).toBe("dead");
    home.sockets[1]?.destroy(); // not proven yet: the next connection begins anew
    await home.probe(2);
    expect(hub.stateOf("home")).toBe("dead");
    await hub.state("home", "alive");
    expect(home.probes).toHaveLength(5);
  }, 40_000);

  it("RC-01 a request in reverse comes to its handler with the link of the upstream, and is answered there", async () => {
    const home = await server();
    const contexts: RequestContext[] = [];
    const hub = await ForwardingHub.start(pki, {
      servers: [radsecServer("home", home.port, pki)],
      reverse: (context) => {
        contexts.push(context);
        return { kind: "reply", code: CODE.disconnectAck, attributes: [] };
      },
    });
    await hub.state("home", "alive");
    await home.links(1);
    home.ask(CODE.disconnectRequest, [textAttribute(ATTRIBUTE.userName, "bob")]);
    await vi.waitFor(() => expect(home.replies).toHaveLength(1), WAIT);
    expect(home.replies[0]).toMatchObject({ code: CODE.disconnectAck, identifier: 7 });
    expect(contexts[0]?.link).toMatchObject({ listener: "upstream:home", client: { mayTrigger: true, role: "hub" } });
  });

  it("CON-11 stop() ends every link in order and leaves no timer", async () => {
    const home = await server();
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki, { links: 2 })] });
    await home.links(2);
    await hub.upstreams.stop();
    await home.links(0);
    expect(home.sockets).toHaveLength(2);
  });

  it("a change that can not be made leaves nothing of it running, and what ran before goes on", async () => {
    const [home, other] = [await server(), await server()];
    const hub = await ForwardingHub.start(pki, { servers: [radsecServer("home", home.port, pki)] });
    await hub.state("home", "alive");
    const bad = { certificate: "no PEM", key: "no PEM", ca: [], crl: [], minVersion: "TLSv1.2" } as const;
    const servers = [radsecServer("other", other.port, pki), radsecServer("bad", other.port, pki, { tls: bad })];
    expect(() => hub.apply({ servers })).toThrow(expect.objectContaining({ code: "ERR_PKI" }));
    const nas = await hub.dial();
    ask(nas, 1);
    expect((await nas.packet(0)).code).toBe(CODE.accessAccept);
    home.sockets[0]?.destroy();
    await hub.state("home", "dead");
    await hub.state("home", "alive"); // a server that was left running would have connected by now
    expect([other.sockets.length, home.requests.length]).toEqual([0, 1]);
  });

  it("a new certificate is for new connections: apply() keeps the links", async () => {
    const home = await server();
    const before = radsecServer("home", home.port, pki);
    const hub = await ForwardingHub.start(pki, { servers: [before] });
    await home.links(1);
    const nas = await pki.ca.issue({ dns: ["edge-2.nas.example"] });
    hub.apply({ servers: [radsecServer("home", home.port, { ...pki, nas })] });
    expect(hub.stateOf("home")).toBe("alive");
    home.sockets[0]?.destroy();
    await vi.waitFor(() => expect(home.sockets).toHaveLength(2), WAIT);
    expect(home.sockets[1]?.getPeerCertificate().subjectaltname).toBe("DNS:edge-2.nas.example");
    await hub.state("home", "alive");
  });
});
