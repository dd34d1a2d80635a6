import { beforeAll, describe, expect, it, vi } from "vitest";
import type { UdpServerOptions } from "../../src/aaa/upstream/options.ts";
import { ATTRIBUTE, firstValue, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { revealUserPassword } from "../../src/radius/hidden.ts";
import { ForwardingHub, UPSTREAM_SECRET, udpServer } from "../support/forwarding-hub.ts";
import { makeTestPki, type TestPki, WAIT } from "../support/listener-fixture.ts";
import { accept, silent, UdpRadiusServer } from "../support/radius-servers.ts";
import { contextOf } from "../support/module-rig.ts";
import type { RawNas } from "../support/raw-nas.ts";

let pki: TestPki;
beforeAll(async () => {
  pki = await makeTestPki();
});

async function two(
  changes: { readonly mode?: "fail-over" | "balance"; readonly timeoutMs?: number } = {},
  ofServers: Partial<UdpServerOptions> = {},
) {
  const first = await UdpRadiusServer.start(UPSTREAM_SECRET);
  const second = await UdpRadiusServer.start(UPSTREAM_SECRET);
  const servers = [udpServer("first", first.port, ofServers), udpServer("second", second.port, ofServers)];
  const hub = await ForwardingHub.start(pki, { servers, ...changes });
  return { first, second, servers, hub, nas: await hub.dial() };
}

function ask(nas: RawNas, identifier: number): void {
  nas.request(CODE.accessRequest, [textAttribute(ATTRIBUTE.userName, `user ${identifier}`)], identifier);
}

describe("a pool of UDP servers", () => {
  it("one dies: its request goes to the other under a new Authenticator, later ones go there at once", async () => {
    const { first, second, hub, nas } = await two();
    ask(nas, 1);
    await nas.packet(0);
    expect([first.requests.length, second.requests.length]).toEqual([1, 0]);
    first.script = silent;
    first.answersStatus = false;
    ask(nas, 2);
    expect((await nas.packet(1)).code).toBe(CODE.accessAccept);
    const retried = await first.request(1);
    const moved = await second.request(0);
    expect(firstValue(moved.attributes, ATTRIBUTE.userName)).toEqual(
      firstValue(retried.attributes, ATTRIBUTE.userName),
    );
    expect(moved.authenticator).not.toEqual(retried.authenticator); // CRY-04
    const before = first.requests.length;
    ask(nas, 3);
    await nas.packet(2);
    expect([first.requests.length, second.requests.length]).toEqual([before, 2]);
    await hub.state("first", "dead");
    expect(hub.changes).toEqual(["down first"]);
  });

  it("WD-05 it recovers: three answered probes, each a new Status-Server, and it is asked again", async () => {
    const { first, hub, nas } = await two();
    first.close();
    ask(nas, 1);
    await nas.packet(0);
    await hub.state("first", "dead");
    await first.open();
    const before = first.probes.length;
    await hub.state("first", "alive");
    expect(first.probes.length - before).toBe(3);
    expect(new Set(first.probes.map(({ authenticator }) => authenticator.toString("hex"))).size).toBe(
      first.probes.length,
    );
    expect(firstValue((await first.probe(0)).attributes, ATTRIBUTE.nasIdentifier)?.toString()).toBe("hub-1");
    ask(nas, 2);
    await nas.packet(1);
    expect(first.requests).toHaveLength(1);
    expect(hub.changes).toEqual(["down first", "up first"]);
  });

  it("a server without Status-Server is probed with a test Access-Request, and a reject will do", async () => {
    const home = await UdpRadiusServer.start(UPSTREAM_SECRET, silent);
    const probe = {
      ...udpServer("home", 0).probe,
      kind: "access-request",
      userName: "probe",
      password: "pass",
    } as const;
    const hub = await ForwardingHub.start(pki, { servers: [udpServer("home", home.port, { probe })] });
    const nas = await hub.dial();
    home.answersStatus = false;
    ask(nas, 1);
    await hub.state("home", "dead");
    home.script = () => ({ code: CODE.accessReject });
    await hub.state("home", "alive");
    const { attributes, authenticator } = home.requests.at(-1) ?? { attributes: [], authenticator: Buffer.alloc(16) };
    expect(firstValue(attributes, ATTRIBUTE.userName)?.toString()).toBe("probe");
    const hidden = firstValue(attributes, ATTRIBUTE.userPassword) as Buffer;
    expect(revealUserPassword(hidden, UPSTREAM_SECRET, authenticator)?.toString()).toBe("pass");
    expect(home.probes).toEqual([]);
  });

  it("ST-04 a server of accounting alone is probed there: dead while it is silent, alive once it says Accounting-Response", async () => {
    const books = await UdpRadiusServer.start(UPSTREAM_SECRET, silent);
    books.statusCode = CODE.accountingResponse;
    const nowhere = await UdpRadiusServer.start(UPSTREAM_SECRET);
    nowhere.close();
    const probe = { ...udpServer("books", 0).probe, port: "acct" } as const;
    const hub = await ForwardingHub.start(pki, {
      servers: [udpServer("books", books.port, { authPort: nowhere.port, probe })],
    });
    hub.upstreams.probe();
    await books.probe(0);
    const nas = await hub.dial();
    const record = (identifier: number) =>
      nas.request(CODE.accountingRequest, [textAttribute(ATTRIBUTE.acctSessionId, "s")], identifier);
    books.answersStatus = false;
    record(1);
    await hub.state("books", "dead");
    books.answersStatus = true;
    books.script = accept;
    await hub.state("books", "alive");
    record(2);
    expect((await nas.packet(0)).code).toBe(CODE.accountingResponse);
    expect(hub.changes).toEqual(["down books", "up books"]);
  });

  it("no server is asked twice, however alive it looks", async () => {
    const { first, second, hub, nas } = await two({ timeoutMs: 1_000 }, { replyTimeoutMs: 150, suspectAfter: 10 });
    for (const server of [first, second]) server.script = silent;
    ask(nas, 1);
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    const authenticators = [first, second].map(
      ({ requests }) => new Set(requests.map(({ authenticator }) => authenticator.toString("hex"))).size,
    );
    expect(authenticators).toEqual([1, 1]);
    expect(nas.received).toEqual([]);
  });

  it("CON-10 all is over at the deadline of the first try", async () => {
    const { first, second, hub, nas } = await two(
      { timeoutMs: 600 },
      { replyTimeoutMs: 60_000, retransmit: { irtMs: 100, mrtMs: 100, mrc: 1_000 } },
    );
    first.script = silent;
    const begun = performance.now();
    ask(nas, 1);
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    expect(performance.now() - begun).toBeLessThan(2_000);
    expect(second.requests).toEqual([]);
  });

  it("PE-01 nobody left to ask: a router behind TLS hears 502 at once, and an accounting record is not answered", async () => {
    const { first, second, hub, nas } = await two();
    for (const server of [first, second]) server.close();
    ask(nas, 1);
    await hub.state("first", "dead");
    await hub.state("second", "dead");
    const before = nas.received.length;
    ask(nas, 2);
    expect((await nas.packet(before)).code).toBe(CODE.protocolError);
    nas.request(CODE.accountingRequest, [textAttribute(ATTRIBUTE.acctSessionId, "s")], 3);
    await vi.waitFor(() => expect(hub.dropped).toContain("handler-discard"), WAIT);
    expect(nas.received).toHaveLength(before + 1);
    expect(hub.upstreams.checks()).toEqual({ "upstream:p": { ok: false, detail: "0 of 2 servers" } });
  });

  it("balance gives the next request to the server with the fewest outstanding", async () => {
    const { first, second, nas } = await two({ mode: "balance" });
    for (const server of [first, second]) server.script = silent;
    for (let each = 0; each < 8; each += 1) ask(nas, each);
    await first.request(3);
    await second.request(3);
    const users = (server: UdpRadiusServer) =>
      new Set(server.requests.map(({ attributes }) => String(firstValue(attributes, ATTRIBUTE.userName)))).size;
    expect([users(first), users(second)]).toEqual([4, 4]);
  });

  it("apply() keeps servers that are the same, with what they know, and ends those that are gone", async () => {
    const { first, second, servers, hub, nas } = await two();
    first.close();
    ask(nas, 1);
    await nas.packet(0);
    await hub.state("first", "dead");
    hub.apply({ servers: structuredCopy(servers), mode: "balance" });
    expect(hub.stateOf("first")).toBe("dead");
    hub.apply({ servers: [udpServer("third", second.port)] });
    expect(hub.upstreams.servers().map(({ name, state }) => [name, state])).toEqual([["third", "alive"]]);
    ask(nas, 2);
    expect((await nas.packet(1)).code).toBe(CODE.accessAccept);
  });

  it("a pool that a module names and a reload has taken away is nobody: no answer, so that the router asks elsewhere", async () => {
    const { hub } = await two();
    expect(await hub.upstreams.forwardTo(contextOf([]), "gone")).toEqual({ kind: "discard", reason: "no-upstream" });
  });
});

/** Equal options that are other objects, as a configuration that was read again gives them. */
function structuredCopy(servers: readonly ReturnType<typeof udpServer>[]) {
  return servers.map((server) => ({ ...server, probe: { ...server.probe }, retransmit: { ...server.retransmit } }));
}
