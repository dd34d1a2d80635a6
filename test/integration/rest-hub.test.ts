import { describe, expect, it } from "vitest";
import { AaaHub } from "../support/aaa-hub.ts";
import { empty, HttpBackEnd, json } from "../support/http-back-end.ts";

const login = (name: string, password: string) => [
  `User-Name = "${name}"`,
  `User-Password = "${password}"`,
  'Calling-Station-Id = "AA-BB-CC-00-00-01"',
];

const RADIUS_CHECK = `{
    uri: /api/auth/radius-check, body: json,
    data: '{"username": "%{User-Name}", "password": "%{User-Password}", "calling_station_id": "%{Calling-Station-Id}"}',
    control: { Auth-Type: Accept },
    reply: { Mikrotik-Rate-Limit: "%{json:bandwidth}", Session-Timeout: "%{json:remaining_time}" },
    rejectReply: { Reply-Message: "%{json:message}" } }`;

/** hub.yaml with one instance of rest. @param calls its keys beside `url` @param sections which lists it is in */
function yaml(origin: string, calls: string, sections = "authorize: [backend], postauth: []"): string {
  return `
modules:
  callTimeout: 2s
  instances: [{ module: rest, name: backend, settings: { url: "${origin}", ${calls} } }]
  sections: { ${sections} }`;
}

describe("rest, the radius-check of seeds/000", () => {
  const answer = (body: string) => {
    const { username, password } = JSON.parse(body) as Record<string, string>;
    return username === "bob" && password === 'pa"ss\\word';
  };

  async function start() {
    const backEnd = await HttpBackEnd.start(({ body }, response) =>
      answer(body)
        ? json(200, { bandwidth: "2M/10M", remaining_time: 3_600 })({} as never, response)
        : json(401, { message: "no such user, or not this password" })({} as never, response),
    );
    return { backEnd, hub: await AaaHub.start({ yaml: yaml(backEnd.origin, `authorize: ${RADIUS_CHECK}`) }) };
  }

  it("lets in with the bandwidth and the time that the back end tells", async () => {
    const { backEnd, hub } = await start();
    const { reply, output } = await hub.auth(...login("bob", 'pa\\"ss\\\\word'));
    expect(reply).toBe("Access-Accept");
    expect(output).toMatch(/Mikrotik-Rate-Limit = "2M\/10M"/);
    expect(output).toMatch(/Session-Timeout = 3600/);
    expect(backEnd.seen).toMatchObject([{ method: "POST", url: "/api/auth/radius-check" }]);
    expect(backEnd.bodies).toEqual([
      { username: "bob", password: 'pa"ss\\word', calling_station_id: "AA-BB-CC-00-00-01" },
    ]);
  });

  it("rejects with 401, and passes on its message alone", async () => {
    const { hub } = await start();
    const { reply, output } = await hub.auth(...login("bob", "wrong"));
    expect(reply).toBe("Access-Reject");
    expect(output).toMatch(/Reply-Message = "no such user, or not this password"/);
    expect(output).not.toMatch(/Rate-Limit|Session-Timeout/);
  });
});

describe("rest, the shape of rlm_rest", () => {
  it("applies control:, reply: and bare names, with their operators", async () => {
    const backEnd = await HttpBackEnd.start(
      json(200, {
        "control:Auth-Type": "Accept",
        "reply:Reply-Message": { op: "+=", value: ["one", "two"] },
        "Session-Timeout": 10_800,
        "Idle-Timeout": { op: ":=", value: [1, 600] },
        "No-Such-Attribute": "is left out",
      }),
    );
    const hub = await AaaHub.start({ yaml: yaml(backEnd.origin, "authorize: { uri: /authorize, body: json }") });
    const { reply, output } = await hub.auth(...login("bob", "secret"));
    expect(reply).toBe("Access-Accept");
    expect(output).toMatch(/Reply-Message = "one"\s+Reply-Message = "two"/);
    expect(output).toMatch(/Session-Timeout = 10800/);
    expect(output).toMatch(/Idle-Timeout = 600/);
    // Without `data` the body has every attribute, as rlm_rest writes them.
    expect(backEnd.bodies[0]).toMatchObject({
      "User-Name": { type: "string", value: ["bob"] },
      "User-Password": { type: "string", value: ["secret"] },
      "NAS-Identifier": { type: "string", value: ["nas-07"] },
    });
    expect(backEnd.bodies[0]).not.toHaveProperty("Message-Authenticator");
  });

  it("leaves the password to pap and chap where the back end tells it", async () => {
    const backEnd = await HttpBackEnd.start(json(200, { "control:Cleartext-Password": "open sesame" }));
    const sections = "authorize: [backend, chap, pap], postauth: []";
    const hub = await AaaHub.start({
      yaml: yaml(backEnd.origin, 'authorize: { method: get, uri: "/users/%{User-Name}" }', sections),
    });
    expect((await hub.auth(...login("bob", "open sesame"))).reply).toBe("Access-Accept");
    expect((await hub.auth(...login("bob", "open"))).reply).toBe("Access-Reject");
    expect((await hub.auth('User-Name = "b/../b"', 'CHAP-Password = "open sesame"')).reply).toBe("Access-Accept");
    expect(backEnd.seen.map(({ url }) => url)).toEqual(["/users/bob", "/users/bob", "/users/b%2F..%2Fb"]);
    expect((await hub.auth(...login("..", "open sesame"))).reply).toBe("Access-Reject");
    expect(backEnd.seen.length).toBe(3);
  });

  it("checks the password in authenticate, which authorize chooses by itself", async () => {
    const backEnd = await HttpBackEnd.start(({ body }, response) =>
      empty(body === "u=bob&p=s%20%26%20t" ? 204 : 401)({} as never, response),
    );
    const sections = "authorize: [backend], authenticate: { backend: [backend] }, postauth: []";
    const call = 'authenticate: { uri: /login, body: post, data: { u: "%{User-Name}", p: "%{User-Password}" } }';
    const hub = await AaaHub.start({ yaml: yaml(backEnd.origin, call, sections) });
    expect((await hub.auth(...login("bob", "s & t"))).reply).toBe("Access-Accept");
    expect((await hub.auth(...login("bob", "s"))).reply).toBe("Access-Reject");
    expect(backEnd.seen[0]?.headers["content-type"]).toBe("application/x-www-form-urlencoded");
  });

  it("tells postauth what became of the user, and sends tokens and certificates of the configuration only", async () => {
    const backEnd = await HttpBackEnd.start(({ url }, response) =>
      (url.startsWith("/authorize") ? json(200, { "control:Auth-Type": "Accept" }) : empty(201))({} as never, response),
    );
    const calls = `
      headers: { Authorization: "Bearer abc", X-Nas: "%{NAS-Identifier}" },
      authorize: { uri: "/authorize?token=t", body: json, data: { username: "%{User-Name}" } },
      postauth: { uri: /postauth, body: json, data: { username: "%{User-Name}", reply: "%{reply:Packet-Type}" } }`;
    const sections = "authorize: [backend], postauth: [backend], postauthReject: [backend]";
    const hub = await AaaHub.start({ yaml: yaml(backEnd.origin, calls, sections) });
    expect((await hub.auth(...login("bob", "x"))).reply).toBe("Access-Accept");
    expect(backEnd.bodies).toEqual([{ username: "bob" }, { username: "bob", reply: "Access-Accept" }]);
    expect(backEnd.seen[0]?.headers).toMatchObject({ authorization: "Bearer abc", "x-nas": "nas-07" });
  });
});

describe("rest, accounting", () => {
  const START = [
    "Acct-Status-Type = Start",
    'Acct-Session-Id = "s1"',
    'User-Name = "bob"',
    'NAS-Identifier = "nas-07"',
    "NAS-IP-Address = 192.0.2.1",
    "NAS-Port = 7",
  ];
  const CALL = `accounting: { uri: /accounting, body: json, data: {
    status_type: "%{Acct-Status-Type}", session_id: "%{Acct-Session-Id}", unique_id: "%{Acct-Unique-Session-Id}", username: "%{User-Name}" } }`;
  const record = expect.objectContaining({ status_type: "Start", session_id: "s1", username: "bob" });

  it("is acknowledged when the API has the record, and not before", async () => {
    const backEnd = await HttpBackEnd.start(empty(201));
    const hub = await AaaHub.start({ yaml: yaml(backEnd.origin, CALL, "accounting: [backend]") });
    expect((await hub.acct(...START)).reply).toBe("Accounting-Response");
    expect(backEnd.bodies).toEqual([record]);
    // The md5 that FreeRADIUS makes of "bob,s1,192.0.2.1,nas-07,,7".
    expect(backEnd.bodies).toMatchObject([{ unique_id: "0a51417ebe1f7f6acd9a622cf54727f3" }]);
  });

  it("without wait comes after the Accounting-Response, and a back end that is down changes nothing", async () => {
    const backEnd = await HttpBackEnd.start(empty(500));
    const call = CALL.replace("uri:", "wait: false, uri:");
    const hub = await AaaHub.start({ yaml: yaml(backEnd.origin, call, "accounting: [sessions, backend]") });
    expect((await hub.acct(...START)).reply).toBe("Accounting-Response");
    await expect.poll(() => backEnd.bodies, { timeout: 5_000 }).toEqual([record]);
    await backEnd.down();
    expect((await hub.acct(...START.with(1, 'Acct-Session-Id = "s2"'))).reply).toBe("Accounting-Response");
  });
});
