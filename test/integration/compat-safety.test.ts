import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openLog } from "../../src/log.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { CHECK_TOKEN, CompatHub, DJANGO_TOKEN, ORGANIZATION } from "../support/compat-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { planRecord } from "../support/user-records.ts";
import { hubConfig, RunningHub } from "../support/running-hub.ts";

const USERS = [withPassword("alice", "wonderland", { plan: "day" })];
const LOGIN = { username: "alice", password: "wonderland" };

function check(hub: CompatHub, body: object, token: string = CHECK_TOKEN) {
  return hub.call("/api/auth/radius-check", { body, authorization: `Bearer ${token}` });
}

describe("POST /api/auth/radius-check", () => {
  it("answers rate and time of who is let in, and 401 to everybody else", async () => {
    const hub = await CompatHub.start({ users: USERS });
    const body = { ...LOGIN, calling_station_id: "5c:7d:c1:72:a7:3b" };
    expect((await check(hub, body)).text).toBe('{"bandwidth":null,"remaining_time":null}');
    const values = { rateUpBps: 2_000_000, rateDownBps: 10_000_000, sessionTimeoutSeconds: 3_600 };
    await hub.running.hub.store?.plans.put(planRecord("night", { values }));
    await hub.running.hub.store?.users.put(withPassword("bob", "builder", { plan: "night" }));
    expect(await check(hub, { username: "bob", password: "builder" })).toMatchObject({
      status: 200,
      text: '{"bandwidth":"2M/10M","remaining_time":3600}',
    });
    for (const wrong of [
      { ...body, password: "x" },
      { ...body, username: "nobody" },
    ]) {
      expect(await check(hub, wrong)).toMatchObject({ status: 401, text: "{}" });
    }
    expect(await check(hub, { username: "alice" })).toMatchObject({ status: 400 });
    expect(await check(hub, body, "another-token-of-16")).toMatchObject({ status: 403 });
  });
});

describe("the APIs of other systems", () => {
  it("are off without a token", async () => {
    const running = await RunningHub.start({ yaml: "accounting: { enabled: true }" });
    const paths = ["/api/auth/radius-check", "/api/v1/authorize/", "/api/v1/batch/", "/api/v1/freeradius/accounting/"];
    for (const path of paths) {
      const response = await fetch(running.api + path, {
        method: "POST",
        body: "{}",
        headers: { "Content-Type": "application/json" },
      });
      expect([path, response.status, await response.text()]).toEqual([path, 404, '{"detail":"Not found."}']);
    }
  });

  it("are switched on by a reload, without a restart", async () => {
    const yaml = (compat: string) =>
      `accounting: { enabled: true }\nhttp: { address: 127.0.0.1, port: 0, compat: { ${compat} } }`;
    const running = await RunningHub.start({ yaml: yaml("") });
    const call = async () => (await fetch(`${running.api}/api/v1/accounting/?token=${DJANGO_TOKEN}`)).status;
    expect(await call()).toBe(404);
    const changed = hubConfig(yaml(`djangoFreeradius: { token: ${DJANGO_TOKEN} }`), running.folder);
    expect((await running.hub.apply(changed)).needsRestart).toEqual([]);
    expect(await call()).toBe(200);
  });

  it("show no token and no password in any line of the log, at any level", async () => {
    const file = join(await temporaryFolder(), "hub.log");
    const log = openLog({ level: "trace", format: "json", file });
    const hub = await CompatHub.start({ users: USERS, compat: "userTokens: true", log });
    const wrong = "a-wrong-token-of-somebody";
    const secretBody = { username: "alice", password: "a-mistyped-password" };
    for (const token of [DJANGO_TOKEN, wrong]) {
      await hub.call(`/api/v1/authorize/?token=${token}`, { body: secretBody });
      await hub.call(`/api/v1/postauth/?token=${token}`, { body: { ...secretBody, reply: "Access-Reject" } });
      await hub.call(`/api/v1/accounting/?token=${token}&page=9`);
      await hub.call(`/api/v1/nothing/?token=${token}`);
      await hub.call(`/api/v1/freeradius/authorize/?uuid=${ORGANIZATION.uuid}&token=${token}`, { body: secretBody });
      await hub.call(`/api/v1/authorize/?token=${token}`, { body: secretBody, method: "PUT" });
    }
    await hub.call("/api/v1/account/token/", { body: LOGIN });
    await hub.running.hub.stop();
    const lines = (await readFile(file, "utf8")).split("\n");
    expect(lines.filter((line) => line.includes("/api/v1/")).length).toBeGreaterThan(0);
    for (const secret of [DJANGO_TOKEN, wrong, ORGANIZATION.token, "a-mistyped-password", "wonderland"]) {
      expect(lines.filter((line) => line.includes(secret))).toEqual([]);
    }
  });

  it("answer what can not be read with a detail, and never with a page of HTML", async () => {
    const hub = await CompatHub.start({ yaml: "" });
    const url = `${hub.running.api}/api/v1/authorize/?token=${DJANGO_TOKEN}`;
    const send = async (body: string, type: string, method: "POST" | "PUT" = "POST") => {
      const response = await fetch(url, { method, body, headers: { "Content-Type": type } });
      const text = await response.text();
      expect(response.headers.get("Content-Type")).toBe("application/json");
      return [response.status, JSON.parse(text)];
    };
    const detail = (words: unknown) => ({ detail: words });
    const json = "application/json";
    expect(await send("{", json)).toEqual([400, detail(expect.stringMatching(/^JSON parse error - /))]);
    const noDictionary = { non_field_errors: ["Invalid data. Expected a dictionary, but got list."] };
    expect(await send("[1]", json)).toEqual([400, noDictionary]);
    const xml = 'Unsupported media type "application/xml" in request.';
    expect(await send("<a/>", "application/xml")).toEqual([415, detail(xml)]);
    const multipart = await send("no parts", "multipart/form-data; boundary=x");
    expect(multipart).toEqual([400, detail(expect.stringMatching(/^Multipart form parse error - /))]);
    const tooLong = await send(`"${"x".repeat(1_100_000)}"`, json);
    expect(tooLong).toEqual([413, detail(expect.stringContaining("1048576"))]);
    expect(await send("{}", json, "PUT")).toEqual([405, detail('Method "PUT" not allowed.')]);
    const nothing = await hub.call("/api/v1/nothing/");
    expect([nothing.status, nothing.text]).toEqual([404, '{"detail":"Not found."}']);
  });

  it("take form and JSON, with the last slash and without it", async () => {
    const hub = await CompatHub.start({ users: USERS });
    const bodies = [
      ["application/json", JSON.stringify(LOGIN)],
      ["application/json; charset=UTF-8", JSON.stringify(LOGIN)],
      ["application/x-www-form-urlencoded", new URLSearchParams(LOGIN).toString()],
    ];
    for (const path of ["/api/v1/authorize/", "/api/v1/authorize"]) {
      for (const [type = "", body = ""] of bodies) {
        const url = `${hub.running.api}${path}?token=${DJANGO_TOKEN}`;
        const response = await fetch(url, { method: "POST", body, headers: { "Content-Type": type } });
        expect([path, type, response.status, await response.text()]).toEqual([
          path,
          type,
          200,
          '{"control:Auth-Type":"Accept"}',
        ]);
      }
    }
    const form = new FormData();
    for (const [name, value] of Object.entries(LOGIN)) form.set(name, value);
    expect((await hub.django("authorize/", form)).text).toBe('{"control:Auth-Type":"Accept"}');
  });

  it("hold up who guesses, as over RADIUS, and then do not look at the right password either", async () => {
    const hub = await CompatHub.start({ users: USERS, yaml: "users: { guesses: { user: 3 } }" });
    for (let count = 0; count < 3; count += 1) await hub.django("authorize/", { ...LOGIN, password: "x" });
    expect(await hub.django("authorize/", LOGIN)).toMatchObject({ status: 200, text: "" });
    expect(await check(hub, LOGIN)).toMatchObject({ status: 401 });
  });

  it("need no token of the hub's own API, and give none of its rights", async () => {
    const own = "tokens: [{ name: noc, token: a-token-of-the-operator, role: admin }]";
    const running = await RunningHub.start({
      yaml: `
accounting: { enabled: true }
http: { address: 127.0.0.1, port: 0, ${own}, compat: { djangoFreeradius: { token: ${DJANGO_TOKEN} } } }`,
    });
    const call = async (path: string, token: string) => {
      const response = await fetch(running.api + path, { headers: { Authorization: `Bearer ${token}` } });
      return response.status;
    };
    expect(await call("/api/v1/accounting/", DJANGO_TOKEN)).toBe(200);
    expect(await call("/api/v1/accounting/", "a-token-of-the-operator")).toBe(403);
    expect(await call("/v1/post-auths", DJANGO_TOKEN)).toBe(401);
    expect(await call("/v1/post-auths", "a-token-of-the-operator")).toBe(200);
  });

  it("keep how logins ended without the password, and GET /v1/post-auths shows it", async () => {
    const hub = await CompatHub.start();
    const told = {
      username: "alice",
      password: "a-mistyped-password",
      called_station_id: "",
      calling_station_id: "5c:7d",
    };
    expect(await hub.django("postauth/", { ...told, reply: "Access-Reject" })).toMatchObject({ status: 201, text: "" });
    expect((await hub.openwisp("postauth/", { ...told, reply: "Access-Accept" })).status).toBe(201);
    const first = (await (await fetch(`${hub.running.api}/v1/post-auths?limit=1`)).json()) as {
      post_auths: object[];
      next_cursor: string;
    };
    const second = (await (await fetch(`${hub.running.api}/v1/post-auths?cursor=${first.next_cursor}`)).json()) as {
      post_auths: object[];
    };
    const all = [...first.post_auths, ...second.post_auths];
    expect(all).toHaveLength(2);
    expect(all).toContainEqual({
      at: expect.any(String),
      api: "django-freeradius",
      organization: null,
      username: "alice",
      reply: "Access-Reject",
      called_station_id: null,
      calling_station_id: "5c:7d",
    });
    const kept = await hub.running.hub.store?.apiRecords.list("post-auth", { limit: 9 });
    expect(JSON.stringify([all, kept])).not.toContain("mistyped");
  });

  it("answer 503 to what can not be stored, so that the router sends it again", async () => {
    const hub = await CompatHub.start({ users: USERS });
    await hub.running.hub.store?.stop();
    for (const path of ["postauth/", "authorize/"]) {
      expect((await hub.django(path, { ...LOGIN, reply: "Access-Accept" })).status, path).toBe(503);
    }
  });
});
