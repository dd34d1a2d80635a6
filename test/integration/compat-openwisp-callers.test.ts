import { describe, expect, it } from "vitest";
import { withPassword } from "../support/aaa-hub.ts";
import { CompatHub, ORGANIZATION } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";

const USERS = [withPassword("alice", "wonderland"), withPassword("off", "wonderland", { disabled: true })];
const BASE = "/api/v1/freeradius";
const MAC = "5C-7D-C1-72-A7-3B";
const DEVICE = { username: MAC, password: MAC };
const ACCEPTED = expect.stringContaining('"control:Auth-Type":"Accept"');

function openwisp(more: string): string {
  const { name, uuid, token } = ORGANIZATION;
  return `openwispRadius: { organizations: [{ name: ${name}, uuid: ${uuid}, token: ${token}, ${more} }] }`;
}

async function openCount(hub: CompatHub): Promise<number> {
  return (JSON.parse((await hub.openwisp("accounting/?is_open=true")).text) as object[]).length;
}

describe("a device that calls openwisp-radius's API by its MAC address, without the token of the API", () => {
  const on = { users: USERS, openwisp: openwisp("macRoaming: true, allowedHosts: [127.0.0.1]") };

  it("is let in as the user of its open acct session, in any notation", async () => {
    const hub = await CompatHub.start(on);
    await hub.openwisp("accounting/", ACCT_START);
    expect(await hub.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject({ status: 200, text: ACCEPTED });
    const start = { ...ACCT_START, username: MAC, unique_id: "u2", session_id: "2", called_station_id: "elsewhere" };
    expect(await hub.call(`${BASE}/accounting/`, { body: start })).toMatchObject({ status: 201, text: "" });
    const list = JSON.parse((await hub.openwisp("accounting/")).text) as { username: string }[];
    expect(list.map(({ username }) => username)).toEqual(["alice", "alice"]);
    const told = { username: MAC, reply: "Access-Accept" };
    expect(await hub.call(`${BASE}/postauth/`, { body: told })).toMatchObject({ status: 201, text: "" });
  });

  it("is told nothing without one: 200 and an empty body for everything, and nothing is kept", async () => {
    const hub = await CompatHub.start(on);
    for (const [path, body] of [
      ["authorize", DEVICE],
      ["postauth", { username: MAC, reply: "Access-Reject" }],
      ["accounting", { ...ACCT_START, username: MAC }],
    ] as const) {
      expect(await hub.call(`${BASE}/${path}/`, { body }), path).toMatchObject({ status: 200, text: "" });
    }
    expect((await hub.running.hub.store?.apiRecords.list("post-auth", { limit: 9 }))?.items).toEqual([]);
    expect(await openCount(hub)).toBe(0);
  });

  it("is refused with 401 where authorizeReject says so, and where its user is disabled", async () => {
    const hub = await CompatHub.start({ ...on, compat: "authorizeReject: true" });
    const refused = { status: 401, text: '{"control:Auth-Type":"Reject"}' };
    expect(await hub.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject(refused);
    await hub.openwisp("accounting/", { ...ACCT_START, username: "off" });
    expect(await hub.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject(refused);
  });

  it("is nobody where roaming is off, and once the acct session has ended", async () => {
    const off = await CompatHub.start({ users: USERS });
    await off.openwisp("accounting/", ACCT_START);
    expect(await off.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject({ status: 200, text: "" });
    const hub = await CompatHub.start(on);
    await hub.openwisp("accounting/", ACCT_START);
    await hub.openwisp("accounting/", { ...ACCT_START, status_type: "Stop", session_time: "5" });
    expect(await hub.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject({ status: 200, text: "" });
  });

  it("is not let in by an address that is not among the allowed hosts", async () => {
    const hub = await CompatHub.start({ ...on, openwisp: openwisp("macRoaming: true, allowedHosts: [192.0.2.1]") });
    await hub.django("accounting/", ACCT_START);
    expect(await hub.call(`${BASE}/authorize/`, { body: DEVICE })).toMatchObject({ status: 200, text: "" });
  });
});

describe("Accounting-On and -Off without the token of the API", () => {
  const off = { status_type: "Accounting-Off", called_station_id: "00:27:22:f3:fa:f1:hostname", username: "" };

  it("are taken from an allowed host; On closes what is open there, whatever the notation and the address of the NAS", async () => {
    const hub = await CompatHub.start({ openwisp: openwisp("allowedHosts: [127.0.0.1]") });
    await hub.openwisp("accounting/", ACCT_START);
    await hub.openwisp("accounting/", { ...ACCT_START, unique_id: "u2", nas_identifier: "edge-1" });
    expect(await hub.call(`${BASE}/accounting/`, { body: off })).toMatchObject({ status: 200, text: "" });
    expect(await openCount(hub)).toBe(2);
    const on = { ...off, status_type: "Accounting-On", nas_ip_address: "127.0.0.77" };
    const restarts = [on, { ...on, called_station_id: "another" }, { ...on, called_station_id: "" }];
    const answers = await Promise.all(restarts.map((body) => hub.call(`${BASE}/accounting/`, { body })));
    expect(answers.map(({ status, text }) => [status, text])).toEqual(restarts.map(() => [200, ""]));
    expect(await openCount(hub)).toBe(0);
  });

  it("are refused where no organization names the host", async () => {
    const hub = await CompatHub.start();
    await hub.openwisp("accounting/", ACCT_START);
    const answer = await hub.call(`${BASE}/accounting/`, { body: { ...off, status_type: "Accounting-On" } });
    expect([answer.status, answer.text]).toEqual([403, expect.stringContaining("Client IP address (127.0.0.1)")]);
    expect(await openCount(hub)).toBe(1);
  });
});

describe("a Stop of openwisp-radius", () => {
  it("makes the user's tokens no good as passwords, but not those of later", async () => {
    const hub = await CompatHub.start({ users: USERS, compat: "userTokens: true" });
    const issue = async () => {
      const { text } = await hub.call("/api/v1/account/token/", {
        body: { username: "alice", password: "wonderland" },
      });
      return (JSON.parse(text) as { radius_user_token: string }).radius_user_token;
    };
    const login = (password: string) => hub.openwisp("authorize/", { username: "alice", password });
    const before = await issue();
    await hub.openwisp("accounting/", ACCT_START);
    await hub.openwisp("accounting/", { ...ACCT_START, status_type: "Stop", session_time: "5" });
    const after = await issue();
    expect(await login(before)).toMatchObject({ status: 200, text: "" });
    expect(await login(after)).toMatchObject({ status: 200, text: ACCEPTED });
    // Who holds a token still speaks for the organization.
    const body = { username: "alice", password: "wonderland" };
    expect(await hub.call(`${BASE}/authorize/`, { body })).toMatchObject({ status: 200, text: ACCEPTED });
  });
});
