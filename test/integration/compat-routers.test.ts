import { describe, expect, it, vi } from "vitest";
import { attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { CompatHub, ROUTER_SECRET, routerEntry } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";
import { RawNas } from "../support/raw-nas.ts";
import { planRecord } from "../support/user-records.ts";
import { UdpRouter } from "../support/udp-router.ts";

/** NAS-Identifier and NAS-IP-Address of a router behind NAT, where every router has the same address. */
function identity(name: string) {
  return [textAttribute(32, name), attribute(4, Buffer.from([192, 168, 88, 1]))];
}

async function router(hub: CompatHub, name: string): Promise<RawNas> {
  const { running } = hub;
  const nas = await RawNas.dial(running.radsecPort, await running.credentials(name));
  await nas.register(name);
  nas.request(
    CODE.accessRequest,
    [...identity(name), textAttribute(1, "nobody"), textAttribute(2, "0123456789abcdef")],
    1,
  );
  await nas.packet(1);
  return nas;
}

const behindNat = { ...ACCT_START, nas_ip_address: "192.168.88.1" };

async function disconnect(hub: CompatHub): Promise<number> {
  return (await fetch(`${hub.running.api}/disconnect?username=alice&timeout=5s`, { method: "POST" })).status;
}

describe("acct sessions that an API told of", () => {
  it("are disconnected over the router's own link, by the address that it has proven there", async () => {
    const hub = await CompatHub.start();
    const nas = await router(hub, "edge-1");
    expect((await hub.django("accounting/", behindNat)).status).toBe(201);
    const answer = disconnect(hub);
    const request = await nas.packet(2);
    expect(
      request.attributes.filter(({ type }) => type === 1 || type === 44).map(({ value }) => String(value)),
    ).toEqual(["alice", "35000006"]);
    nas.answer(request);
    expect(await answer).toBe(200);
  });

  it("go to nobody where several routers answer to the address, and to the right one by its name", async () => {
    const hub = await CompatHub.start();
    const [one, two] = [await router(hub, "edge-1"), await router(hub, "edge-2")];
    expect((await hub.openwisp("accounting/", behindNat)).status).toBe(201);
    const nobody = await fetch(`${hub.running.api}/disconnect?username=alice`, { method: "POST" });
    expect(await nobody.json()).toMatchObject({ outcomes: [{ outcome: "no-route" }] });
    expect((await hub.openwisp("accounting/", { ...behindNat, status_type: "Stop", session_time: "5" })).status).toBe(
      200,
    );
    const named = { ...behindNat, nas_identifier: "edge-2", session_id: "x2", unique_id: "u2" };
    expect((await hub.openwisp("accounting/", named)).status).toBe(201);
    const answer = disconnect(hub);
    two.answer(await two.packet(2));
    expect(await answer).toBe(200);
    expect(one.received.filter(({ code }) => code === CODE.disconnectRequest)).toEqual([]);
  });

  it("are closed, all that a request meant, when their router does not know them (503, RFC 5176 Section 3.5)", async () => {
    const hub = await CompatHub.start();
    const nas = await router(hub, "edge-1");
    const named = { ...behindNat, nas_identifier: "edge-1" };
    for (const unique_id of ["u1", "u2"]) {
      expect((await hub.django("accounting/", { ...named, unique_id, session_id: unique_id })).status).toBe(201);
    }
    const answer = fetch(`${hub.running.api}/disconnect?nas_identifier=edge-1&username=alice`, { method: "POST" });
    nas.answer(await nas.packet(2), CODE.disconnectNak, [integerAttribute(101, 503)]);
    expect((await answer).status).toBe(409);
    await vi.waitFor(async () => {
      expect(JSON.parse((await hub.django("accounting/?is_open=true")).text)).toEqual([]);
    });
  });

  it("stay apart from those that the router itself reports under the same Acct-Session-Id", async () => {
    const hub = await CompatHub.start();
    const nas = await router(hub, "edge-1");
    nas.request(
      CODE.accountingRequest,
      [...identity("edge-1"), textAttribute(1, "bob"), textAttribute(44, "35000006"), integerAttribute(40, 1)],
      2,
    );
    await nas.packet(2);
    expect((await hub.django("accounting/", { ...behindNat, nas_identifier: "edge-1" })).status).toBe(201);
    const { sessions } = (await (await fetch(`${hub.running.api}/v1/sessions?session_id=35000006`)).json()) as {
      sessions: { username: string }[];
    };
    expect(sessions.map(({ username }) => username).toSorted()).toEqual(["alice", "bob"]);
  });

  it("are told of a new plan in the attributes of the router's vendor, as is who logs in", async () => {
    const port = await UdpRouter.open(ROUTER_SECRET, "127.0.0.2");
    const entry = routerEntry("127.0.0.2", port.port, "vendor: mikrotik");
    const users = [withPassword("alice", "wonderland", { plan: "day" })];
    const hub = await CompatHub.start({ clients: entry, users });
    const values = { rateUpBps: 2_000_000, rateDownBps: 10_000_000 };
    await hub.running.hub.store?.plans.put(planRecord("day", { values }));
    const login = { username: "alice", password: "wonderland", nas_ip_address: "127.0.0.2" };
    const { text } = await hub.openwisp("authorize/", login);
    expect(JSON.parse(text)).toMatchObject({ "Mikrotik-Rate-Limit": { op: "=", value: "2M/10M" } });
    expect((await hub.openwisp("accounting/", ACCT_START)).status).toBe(201);
    const changed = fetch(`${hub.running.api}/v1/plans/day`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": "*" },
      body: JSON.stringify({ rate_down: "20M", rate_up: "2M" }),
    });
    expect((await changed).status).toBe(200);
    await vi.waitFor(() => expect(port.received.map(({ code }) => code)).toContain(CODE.coaRequest), {
      timeout: 20_000,
    });
    const [request] = port.received;
    expect(request?.octets.toString("latin1")).toContain("2M/20M");
  });
});
