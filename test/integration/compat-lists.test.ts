import { describe, expect, it } from "vitest";
import { CompatHub } from "../support/compat-hub.ts";
import { ACCT_START } from "../support/compat-records.ts";

const KEYS = [
  ..."authentication called_station_id calling_station_id connection_info_start connection_info_stop".split(" "),
  ..."framed_interface_id framed_ip_address framed_ipv6_address framed_ipv6_prefix delegated_ipv6_prefix".split(" "),
  ..."framed_protocol groupname id input_octets interval nas_ip_address nas_port_id nas_port_type".split(" "),
  ..."output_octets realm service_type session_id session_time start_time stop_time terminate_cause".split(" "),
  ..."unique_id update_time username".split(" "),
];

/** A whole second some hours ago: the store believes no start that is long past. */
const FIRST_MS = Math.floor(Date.now() / 1_000) * 1_000 - 4 * 3_600_000;
const at = (hours: number): string => new Date(FIRST_MS + hours * 3_600_000).toISOString();
const inOtherZone = (hours: number): string => `${at(hours + 1).slice(0, 19)}%2B01:00`;

/** Three acct sessions, an hour apart; the second is closed. */
async function three(): Promise<CompatHub> {
  const hub = await CompatHub.start();
  for (const [index, username] of ["alice", "bob", "carol"].entries()) {
    const start_time = at(index);
    const own = {
      session_id: `s${index}`,
      unique_id: `u${index}`,
      username,
      start_time,
      called_station_id: `ap-${index}`,
    };
    expect((await hub.django("accounting/", { ...ACCT_START, ...own })).status).toBe(201);
    const stop = { ...ACCT_START, ...own, status_type: "Stop", session_time: "60", terminate_cause: "User_Request" };
    if (index === 1) expect((await hub.django("accounting/", stop)).status).toBe(200);
  }
  return hub;
}

async function names(hub: CompatHub, query: string): Promise<string[]> {
  const { status, text } = await hub.django(`accounting/${query}`);
  expect(status, query).toBe(200);
  return (JSON.parse(text) as { username: string }[]).map(({ username }) => username);
}

describe("GET accounting/", () => {
  it("is an array of items with the keys of the original, the latest start first", async () => {
    const hub = await three();
    const { text, headers } = await hub.django("accounting/");
    const items = JSON.parse(text) as Record<string, unknown>[];
    for (const item of items) expect(Object.keys(item).toSorted()).toEqual(KEYS.toSorted());
    expect(items.map(({ start_time }) => start_time)).toEqual([2, 1, 0].map(at));
    expect(items[1]).toMatchObject({ username: "bob", terminate_cause: "User_Request", session_time: 60 });
    expect(items[0]).toMatchObject({ stop_time: null, update_time: null, nas_port_type: "Async", input_octets: 0 });
    expect(headers.get("Link")).toBeNull();
  });

  it("filters by the fields of the original, and passes over what is none", async () => {
    const hub = await three();
    const table: readonly (readonly [string, readonly string[]])[] = [
      ["?username=bob", ["bob"]],
      ["?called_station_id=ap-2", ["carol"]],
      ["?calling_station_id=5C-7D-C1-72-A7-3B&username=alice", ["alice"]],
      [`?start_time=${at(1)}`, ["carol", "bob"]],
      [`?start_time=${inOtherZone(1)}`, ["carol", "bob"]],
      ["?stop_time=2099-01-01", ["bob"]],
      [`?stop_time=${at(2)}`, []],
      ["?is_open=true", ["carol", "alice"]],
      ["?is_open=false", ["bob"]],
      ["?is_open=perhaps&unknown=1", ["carol", "bob", "alice"]],
    ];
    for (const [query, expected] of table) expect(await names(hub, query), query).toEqual(expected);
  });

  it("refuses a time that is none, and a page that is not there", async () => {
    const hub = await three();
    const bad = await hub.django("accounting/?start_time=yesterday");
    expect(bad).toMatchObject({ status: 400, text: '{"start_time":["Enter a valid date/time."]}' });
    expect(await hub.django("accounting/?page=2")).toMatchObject({ status: 404, text: '{"detail":"Invalid page."}' });
  });

  it("pages with a Link header: first and prev behind the first page, next and last before the last (RFC 8288)", async () => {
    const hub = await three();
    const url = `${hub.running.api}/api/v1/accounting/`;
    const linkOf = async (query: string) => (await hub.django(`accounting/${query}`)).headers.get("Link");
    expect(await linkOf("?page_size=1")).toBe(
      `<${url}?page=2&page_size=1>; rel="next", <${url}?page=3&page_size=1>; rel="last"`,
    );
    expect(await linkOf("?page_size=1&page=2")).toBe(
      `<${url}?page_size=1>; rel="first", <${url}?page=3&page_size=1>; rel="next", <${url}?page_size=1>; rel="prev", <${url}?page=3&page_size=1>; rel="last"`,
    );
    expect(await linkOf("?page_size=1&page=3")).toBe(
      `<${url}?page_size=1>; rel="first", <${url}?page=2&page_size=1>; rel="prev"`,
    );
    expect(await names(hub, "?page_size=2&page=2")).toEqual(["alice"]);
    expect(await names(hub, "?page_size=1&page=last")).toEqual(["alice"]);
  });
});

describe("POST accounting/", () => {
  it("reports each mistake by its field, in the words of the original", async () => {
    const hub = await CompatHub.start();
    const table: readonly (readonly [object, object])[] = [
      [{ status_type: undefined }, { status_type: ["This field is required."] }],
      [{ status_type: "Nap" }, { status_type: ['"Nap" is not a valid choice.'] }],
      [{ nas_ip_address: undefined }, { nas_ip_address: ["This field is required."] }],
      [{ nas_ip_address: "10.0.0" }, { nas_ip_address: ["Enter a valid IPv4 or IPv6 address."] }],
      [{ unique_id: "u".repeat(33) }, { unique_id: ["Ensure this field has no more than 32 characters."] }],
      [{ session_id: "s".repeat(65) }, { session_id: ["Ensure this field has no more than 64 characters."] }],
      [{ nas_port_id: "p".repeat(16) }, { nas_port_id: ["Ensure this field has no more than 15 characters."] }],
      [{ input_octets: "many" }, { input_octets: ["A valid integer is required."] }],
      [{ session_time: "-1" }, { session_time: ["Ensure this value is greater than or equal to 0."] }],
      [{ session_id: null }, { session_id: ["This field may not be null."] }],
      [{ username: ["a"] }, { username: ["Not a valid string."] }],
      [{ framed_ipv6_address: "127.0.0.1" }, { framed_ipv6_address: ["Enter a valid IPv6 address."] }],
      [
        { framed_ipv6_prefix: "x", delegated_ipv6_prefix: "10.0.0.0/8" },
        {
          framed_ipv6_prefix: ["Invalid ipv6 prefix: 'x' does not appear to be an IPv4 or IPv6 network"],
          delegated_ipv6_prefix: ["10.0.0.0/8 is not an IPv6 prefix"],
        },
      ],
      [
        { framed_ipv6_prefix: "2001:db8::1/64" },
        { framed_ipv6_prefix: ["Invalid ipv6 prefix: 2001:db8::1/64 has host bits set"] },
      ],
      [
        { unique_id: undefined, session_id: "" },
        { session_id: ["This field may not be blank."], unique_id: ["This field is required."] },
      ],
    ];
    for (const [change, errors] of table) {
      const { status, text } = await hub.django("accounting/", { ...ACCT_START, ...change });
      expect([status, JSON.parse(text)], JSON.stringify(change)).toEqual([400, errors]);
    }
  });

  it("counts 64 bits, from totals and from Gigawords, and keeps what an empty field does not tell", async () => {
    const hub = await CompatHub.start();
    const big = { ...ACCT_START, status_type: "Interim-Update", session_time: "60" };
    await hub.django("accounting/", { ...big, input_octets: "10000000000", output_octets: "1", output_gigawords: "2" });
    await hub.django("accounting/", { ...big, session_time: "120" });
    const { text } = await hub.django("accounting/");
    expect(JSON.parse(text)).toMatchObject([
      { input_octets: 10_000_000_000, output_octets: 2 * 2 ** 32 + 1, session_time: 120 },
    ]);
  });

  it("takes IPv6 addresses and prefixes, and shows the plan as group", async () => {
    const hub = await CompatHub.start();
    const v6 = {
      framed_ipv6_address: "2001:DB8::1",
      framed_ipv6_prefix: "2001:db8:1::/64",
      delegated_ipv6_prefix: "2001:db8:2::/56",
    };
    expect((await hub.django("accounting/", { ...ACCT_START, ...v6 })).status).toBe(201);
    const [item] = JSON.parse((await hub.django("accounting/")).text) as object[];
    expect(item).toMatchObject({ ...v6, framed_ipv6_address: "2001:db8::1" });
    const found = await fetch(`${hub.running.api}/v1/sessions?framed_ip=2001:db8::1`);
    expect(await found.json()).toMatchObject({ sessions: [{ session_id: "35000006" }] });
  });

  it("says 201 to a Stop whose Start was lost, once", async () => {
    const hub = await CompatHub.start();
    const stop = { ...ACCT_START, status_type: "Stop", session_time: "5" };
    expect((await hub.django("accounting/", stop)).status).toBe(201);
    expect((await hub.django("accounting/", stop)).status).toBe(200);
  });

  it("ignores Accounting-On and -Off", async () => {
    const hub = await CompatHub.start();
    await hub.django("accounting/", ACCT_START);
    for (const status_type of ["Accounting-On", "Accounting-Off"]) {
      expect(await hub.django("accounting/", { status_type })).toMatchObject({ status: 200, text: "" });
    }
    expect(await names(hub, "?is_open=true")).toEqual(["alice"]);
  });
});
