import { describe, expect, it } from "vitest";
import { CompatHub, ORGANIZATION } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { planRecord } from "../support/user-records.ts";

const USERS = [
  withPassword("alice", "wonderland", { plan: "day" }),
  withPassword("bob", "builder", { overrides: { simultaneousUse: 1 } }),
];
const QUOTA = `
quota:
  rules:
    - { name: cap, counts: both, period: day, amount: 1000B, thresholds: [{ percent: 100, action: disconnect }] }
`;

async function start(options: Parameters<typeof CompatHub.start>[0] = {}): Promise<CompatHub> {
  const hub = await CompatHub.start({ users: USERS, ...options });
  const values = { sessionTimeoutSeconds: 10_800, rateUpBps: 2_000_000, rateDownBps: 10_000_000, group: "guests" };
  await hub.running.hub.store?.plans.put(planRecord("day", { values }));
  return hub;
}

function login(hub: CompatHub, username: string, password: string, more: object = {}) {
  return hub.openwisp("authorize/", { username, password, ...more });
}

describe("the API of openwisp-radius", () => {
  it("accepts with the plan in attributes of the vendor: operator and value, counters bare", async () => {
    const hub = await start({ compat: "vendor: mikrotik" });
    const { status, text } = await login(hub, "alice", "wonderland");
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({
      "control:Auth-Type": "Accept",
      "Session-Timeout": 10_800,
      "Mikrotik-Rate-Limit": { op: "=", value: "2M/10M" },
      "Acct-Interim-Interval": { op: "=", value: "120" },
    });
  });

  it("reports a field that is missing or blank, and passes over what it does not know", async () => {
    const hub = await start();
    expect(await hub.openwisp("authorize/", { username: "", flavour: "sweet" })).toMatchObject({
      status: 400,
      text: '{"username":["This field may not be blank."],"password":["This field is required."]}',
    });
    expect((await login(hub, "alice", "wonderland", { flavour: "sweet" })).status).toBe(200);
    const longStation = await login(hub, "alice", "wonderland", { called_station_id: "c".repeat(254) });
    const error = '{"called_station_id":["Ensure this field has no more than 253 characters."]}';
    expect(longStation).toMatchObject({ status: 400, text: error });
    expect(await hub.openwisp("postauth/", { username: "alice" })).toMatchObject({
      status: 400,
      text: '{"reply":["This field is required."]}',
    });
  });

  it("answers a wrong password with 200 and nothing; too many acct sessions with 401, and not the same device at the same place", async () => {
    const hub = await start();
    expect(await login(hub, "alice", "wrong")).toMatchObject({ status: 200, text: "" });
    const { called_station_id, calling_station_id } = ACCT_START;
    expect((await hub.openwisp("accounting/", { ...ACCT_START, username: "bob" })).status).toBe(201);
    const again = await login(hub, "bob", "builder", { called_station_id, calling_station_id });
    expect(again).toMatchObject({ status: 200, text: expect.stringContaining('"control:Auth-Type":"Accept"') });
    const elsewhere = await login(hub, "bob", "builder", { called_station_id: "other:hotspot", calling_station_id });
    expect(elsewhere.status).toBe(401);
    expect(JSON.parse(elsewhere.text)).toEqual({
      "control:Auth-Type": "Reject",
      "Reply-Message": "You are already logged in - access denied",
    });
  });

  it("tells the octets that are left of the least quota that ends in a disconnect, as a bare number", async () => {
    const rule = (name: string, rest: string) => `{ name: ${name}, period: day, ${rest} }`;
    const rules = [
      rule("cap", "counts: both, amount: 5000000000B, thresholds: [{ percent: 100, action: disconnect }]"),
      rule("less", "counts: both, amount: 6000000000B, thresholds: [{ percent: 50, action: disconnect }]"),
      rule("told", "counts: both, amount: 1000B, thresholds: [{ percent: 100, notify: true }]"),
      rule("up", "counts: upload, amount: 2000B, thresholds: [{ percent: 100, action: disconnect }]"),
    ];
    const hub = await start({ yaml: `quota: { rules: [${rules.join(", ")}] }` });
    const octets = { input_octets: "300", output_octets: "700", session_time: "10" };
    await hub.openwisp("accounting/", { ...ACCT_START, status_type: "Stop", ...octets });
    expect(JSON.parse((await login(hub, "alice", "wonderland")).text)).toMatchObject({
      "CoovaChilli-Max-Total-Octets": 2_999_999_000,
    });
    const without = await (await start()).openwisp("authorize/", { username: "alice", password: "wonderland" });
    expect(without.text).not.toContain("CoovaChilli");
  });

  it("says what quotaMessage says", async () => {
    const { name, uuid, token } = ORGANIZATION;
    const openwisp = `openwispRadius: { quotaMessage: Come back tomorrow, organizations: [{ name: ${name}, uuid: ${uuid}, token: ${token} }] }`;
    const hub = await start({ yaml: QUOTA, openwisp });
    await hub.openwisp("accounting/", { ...ACCT_START, status_type: "Stop", session_time: "1", input_octets: "2000" });
    const { text } = await login(hub, "alice", "wonderland");
    expect(JSON.parse(text)).toMatchObject({ "Reply-Message": "Come back tomorrow" });
  });

  it("answers a used up quota with 200 and Reject", async () => {
    const hub = await start({ yaml: QUOTA });
    const used = { ...ACCT_START, status_type: "Stop", session_time: "10", input_octets: "900", output_octets: "900" };
    expect((await hub.openwisp("accounting/", used)).status).toBe(201);
    const answer = await login(hub, "alice", "wonderland");
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.text)).toEqual({
      "control:Auth-Type": "Reject",
      "Reply-Message": "Your maximum daily usage time has been reached",
    });
    expect(await login(hub, "alice", "wrong")).toMatchObject({ status: 200, text: "" });
  });

  it.each([
    {
      name: "no credentials",
      authorization: undefined,
      status: 403,
      detail: "Radius token does not exist. Obtain a new radius token or provide the organization UUID and API token.",
    },
    { name: "one word", authorization: "Bearer", status: 400, detail: "Invalid token" },
    { name: "no UUID", authorization: `Bearer ${ORGANIZATION.token}`, status: 400, detail: "Invalid token" },
    {
      name: "a wrong token",
      authorization: `Bearer ${ORGANIZATION.uuid} ${ORGANIZATION.token}x`,
      status: 403,
      detail: "Token authentication failed",
    },
    {
      name: "a wrong UUID",
      authorization: `Bearer ${ORGANIZATION.uuid.replace("0", "1")} ${ORGANIZATION.token}`,
      status: 403,
      detail: "Token authentication failed",
    },
  ])("refuses $name", async ({ authorization, status, detail }) => {
    const hub = await start();
    const body = { username: "alice", password: "wonderland" };
    const answer = await hub.call("/api/v1/freeradius/authorize/", { body, authorization });
    expect(answer).toMatchObject({ status, text: JSON.stringify({ detail }) });
  });

  it("takes UUID and token in the query, asks for a username without them, and takes no organization in the body", async () => {
    const hub = await start();
    const path = "/api/v1/freeradius/authorize/";
    const body = { username: "alice", password: "wonderland" };
    const query = `?uuid=${ORGANIZATION.uuid}&token=${ORGANIZATION.token}`;
    expect((await hub.call(path + query, { body })).status).toBe(200);
    expect(await hub.call(`${path}?uuid=${ORGANIZATION.uuid}`, { body })).toMatchObject({ status: 403 });
    const nobody = await hub.call(path, { body: { password: "x" } });
    expect(nobody).toMatchObject({ status: 403, text: '{"detail":"username field is required."}' });
    const other = await hub.openwisp("authorize/", { ...body, organization: "x" });
    const detail = "setting the organization parameter explicitly is not allowed";
    expect(other).toMatchObject({ status: 403, text: JSON.stringify({ detail }) });
  });

  it("refuses a FreeRADIUS that is not among the allowed hosts", async () => {
    const organizations = `openwispRadius: { organizations: [{ name: a, uuid: ${ORGANIZATION.uuid}, token: ${ORGANIZATION.token}, allowedHosts: [192.0.2.1] }] }`;
    const hub = await start({ openwisp: organizations });
    const detail =
      "Request rejected: Client IP address (127.0.0.1) is not in the list of IP addresses allowed to consume the freeradius API.";
    expect(await login(hub, "alice", "wonderland")).toMatchObject({ status: 403, text: JSON.stringify({ detail }) });
  });

  it("closes what is open at a hotspot that has restarted, and ignores Accounting-Off", async () => {
    const hub = await start();
    await hub.openwisp("accounting/", ACCT_START);
    await hub.openwisp("accounting/", {
      ...ACCT_START,
      session_id: "2",
      unique_id: "u2",
      called_station_id: "elsewhere",
    });
    const { called_station_id, nas_ip_address } = ACCT_START;
    const off = { status_type: "Accounting-Off", called_station_id, nas_ip_address };
    expect(await hub.openwisp("accounting/", off)).toMatchObject({ status: 200, text: "" });
    const open = async () =>
      JSON.parse((await hub.openwisp("accounting/?is_open=true")).text) as { unique_id: string }[];
    expect((await open()).length).toBe(2);
    expect(await hub.openwisp("accounting/", { ...off, status_type: "Accounting-On" })).toMatchObject({
      status: 200,
      text: "",
    });
    expect((await open()).map(({ unique_id }) => unique_id)).toEqual(["u2"]);
    const [closed] = JSON.parse((await hub.openwisp("accounting/?is_open=false")).text) as object[];
    expect(closed).toMatchObject({ terminate_cause: "NAS-Reboot", organization: ORGANIZATION.uuid });
    expect(closed).not.toHaveProperty("id");
  });

  it("keeps organizations apart: in lists, and a record of another one's acct session changes nothing", async () => {
    const other = { uuid: "11111111-2222-3333-4444-555555555555", token: "a-token-of-the-other-one" };
    const { uuid, token } = ORGANIZATION;
    const organizations = `{ name: a, uuid: ${uuid}, token: ${token} }, { name: b, uuid: ${other.uuid}, token: ${other.token} }`;
    const hub = await start({ openwisp: `openwispRadius: { organizations: [${organizations}] }` });
    const path = "/api/v1/freeradius/accounting/";
    const authorization = `Bearer ${other.uuid} ${other.token}`;
    expect((await hub.openwisp("accounting/", ACCT_START)).status).toBe(201);
    const stop = { ...ACCT_START, status_type: "Stop", session_time: "9" };
    expect(await hub.call(path, { body: stop, authorization })).toMatchObject({ status: 200, text: "" });
    expect(JSON.parse((await hub.call(path, { authorization })).text)).toEqual([]);
    const own = JSON.parse((await hub.openwisp("accounting/")).text) as object[];
    expect(own).toMatchObject([{ stop_time: null, organization: uuid }]);
    const crossed = await hub.call(path, { authorization: `Bearer ${uuid} ${other.token}` });
    expect(crossed.status).toBe(403);
  });
});
