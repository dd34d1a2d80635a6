import { describe, expect, it } from "vitest";
import { CompatHub } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";

type Item = Readonly<Record<string, unknown>>;
type Call = (path: string, body?: object) => Promise<{ readonly status: number; readonly text: string }>;

const APIS = [
  {
    api: "django-freeradius",
    callOf:
      (hub: CompatHub): Call =>
      (path, body) =>
        hub.django(path, body),
  },
  {
    api: "openwisp-radius",
    callOf:
      (hub: CompatHub): Call =>
      (path, body) =>
        hub.openwisp(path, body),
  },
];
const INTERIM = { ...ACCT_START, status_type: "Interim-Update", session_time: "60", input_octets: "7" };
const STOP = { ...INTERIM, status_type: "Stop", session_time: "61", terminate_cause: "User-Request" };

async function items(call: Call, query = ""): Promise<Item[]> {
  return JSON.parse((await call(`accounting/${query}`)).text) as Item[];
}

describe.each(APIS)("POST accounting/ of $api", ({ callOf }) => {
  it("is an upsert on unique_id: what else looks the same is another acct session", async () => {
    const call = callOf(await CompatHub.start());
    expect((await call("accounting/", ACCT_START)).status).toBe(201);
    expect((await call("accounting/", { ...ACCT_START, unique_id: "u2" })).status).toBe(201);
    expect((await call("accounting/", { ...INTERIM, unique_id: "u2" })).status).toBe(200);
    const found = await items(call);
    const times = new Map(found.map(({ unique_id, session_time }) => [unique_id, session_time]));
    expect([times.size, times.get("75058e50"), times.get("u2")]).toEqual([2, 0, 60]);
  });

  it("is an upsert on unique_id: the address of the NAS may change", async () => {
    const call = callOf(await CompatHub.start());
    expect((await call("accounting/", ACCT_START)).status).toBe(201);
    const moved = { ...INTERIM, nas_ip_address: "127.0.0.3", nas_identifier: "edge-1" };
    expect((await call("accounting/", moved)).status).toBe(200);
    expect(await items(call)).toMatchObject([{ session_time: 60, nas_ip_address: "127.0.0.3" }]);
  });

  it("leaves what a later record does not have, and shows what was told as an empty text otherwise than what was not", async () => {
    const call = callOf(await CompatHub.start());
    const { realm, service_type, ...start } = ACCT_START;
    await call("accounting/", { ...start, connection_info_start: "CONNECT 54Mbps", interval: "120", username: "" });
    const { nas_port_type, ...interim } = INTERIM;
    await call("accounting/", { ...interim, connection_info_stop: "x", username: "" });
    expect(realm + service_type + nas_port_type).toBe("Login-UserAsync");
    expect(await items(call)).toMatchObject([
      {
        connection_info_start: "CONNECT 54Mbps",
        connection_info_stop: "x",
        interval: 120,
        nas_port_type: "Async",
        username: "",
        realm: "",
        groupname: null,
        framed_ip_address: null,
      },
    ]);
  });

  it("shows the start that it was told of, however long ago, and finds it by that", async () => {
    const call = callOf(await CompatHub.start());
    await call("accounting/", { ...ACCT_START, start_time: "2018-03-10T14:44:17.234+01:00" });
    await call("accounting/", INTERIM);
    const [item] = await items(call);
    expect(item?.["start_time"]).toBe("2018-03-10T13:44:17.234Z");
    expect(item?.["update_time"]).not.toBeNull();
    expect(await items(call, "?start_time=2018-03-11")).toEqual([]);
    expect(await items(call, "?start_time=2018-03-10")).toHaveLength(1);
  });

  it("takes the IPv6 values that CoovaChilli sends, and gives them back", async () => {
    const call = callOf(await CompatHub.start());
    const v6 = {
      framed_ipv6_address: "::ffff:c0a8:b603",
      framed_ipv6_prefix: "0::/64",
      framed_interface_id: "0000:ffff:c0a8:b603",
      delegated_ipv6_prefix: "0::/64",
    };
    expect((await call("accounting/", { ...ACCT_START, ...v6 })).status).toBe(201);
    expect(await items(call)).toMatchObject([
      {
        framed_ipv6_address: expect.stringContaining(":"),
        framed_ipv6_prefix: "::/64",
        framed_interface_id: "0000:ffff:c0a8:b603",
        delegated_ipv6_prefix: "::/64",
      },
    ]);
  });
});

describe("an Interim-Update after the Stop", () => {
  it("opens the acct session again with openwisp-radius, and POST /disconnect finds it", async () => {
    const hub = await CompatHub.start();
    const call = APIS[1]?.callOf(hub) as Call;
    for (const record of [ACCT_START, STOP]) await call("accounting/", record);
    expect(await items(call)).toMatchObject([{ stop_time: expect.any(String), terminate_cause: "User-Request" }]);
    expect((await call("accounting/", { ...INTERIM, session_time: "61" })).status).toBe(200);
    expect(await items(call)).toMatchObject([{ stop_time: null, terminate_cause: "", session_time: 61 }]);
    expect(await items(call, "?is_open=true")).toHaveLength(1);
    const found = await fetch(`${hub.running.api}/v1/sessions?username=alice&open=true`);
    expect(await found.json()).toMatchObject({ sessions: [{ session_id: "35000006" }] });
    await call("accounting/", { ...STOP, session_time: "90" });
    expect(await items(call)).toMatchObject([{ stop_time: expect.any(String), session_time: 90 }]);
  });

  it("does not with openwisp-radius when it was overtaken: it tells of a moment before the Stop", async () => {
    const call = APIS[1]?.callOf(await CompatHub.start()) as Call;
    for (const record of [ACCT_START, STOP, INTERIM]) await call("accounting/", record);
    expect(await items(call)).toMatchObject([{ stop_time: expect.any(String), session_time: 61 }]);
  });

  it("leaves it closed with django-freeradius", async () => {
    const call = APIS[0]?.callOf(await CompatHub.start()) as Call;
    for (const record of [ACCT_START, STOP, { ...INTERIM, session_time: "70" }]) await call("accounting/", record);
    expect(await items(call)).toMatchObject([{ stop_time: expect.any(String), session_time: 70 }]);
  });
});
