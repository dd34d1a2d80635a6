import { afterEach, describe, expect, it } from "vitest";
import type { HttpOptions } from "../../src/http/api.ts";
import { httpOptions, type RunningApi, startApi } from "../support/http-api.ts";
import { rawAnswer } from "../support/raw-http.ts";

const running: RunningApi[] = [];
async function start(options: Partial<HttpOptions>): Promise<RunningApi> {
  const hub = await startApi(options);
  running.push(hub);
  return hub;
}
afterEach(async () => {
  for (const hub of running.splice(0)) await hub.stop();
});

const TOKENS: HttpOptions["tokens"] = [
  { name: "grafana", token: "monitor-token", role: "monitor" },
  { name: "helpdesk", token: "operator-token", role: "operator" },
  { name: "root", token: "admin-token", role: "admin" },
];
const BASIC: HttpOptions["basic"] = [{ name: "kiosk", password: "pass:word", role: "operator" }];

const basic = (pair: string) => `Basic ${Buffer.from(pair).toString("base64")}`;

async function call(hub: RunningApi, method: string, path: string, headers: Record<string, string> = {}) {
  const response = await fetch(hub.url + path, { method, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, code: /"code":"([a-z-]+)"/.exec(text)?.[1] };
}

/** Speaks with any Host and Origin, which fetch() would not. */
async function callAs(hub: RunningApi, method: string, path: string, headers: Record<string, string>) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const answer = await rawAnswer(hub.port, `${method} ${path} HTTP/1.1\r\n${lines.join("")}Connection: close\r\n\r\n`);
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]), code: /"code":"([a-z-]+)"/.exec(answer)?.[1] };
}

const DISCONNECT = "/disconnect?nas_identifier=e&username=m";
const ACCESS_REQUEST = "/v1/exchanges?code=Access-Request&nas_identifier=e";

describe("roles", () => {
  const rows: [method: string, path: string, none: number, monitor: number, operator: number, admin: number][] = [
    ["GET", "/live", 200, 200, 200, 200],
    ["GET", "/ready", 200, 200, 200, 200],
    ["GET", "/metrics", 401, 200, 200, 200],
    ["GET", "/v1/links", 401, 200, 200, 200],
    ["GET", "/v1/links/none", 401, 404, 404, 404],
    ["GET", "/v1/bindings", 401, 200, 200, 200],
    ["DELETE", "/v1/links/none", 401, 403, 404, 404],
    ["DELETE", "/v1/bindings/none", 401, 403, 404, 404],
    ["POST", DISCONNECT, 401, 403, 200, 200],
    ["POST", "/coa?nas_identifier=e&username=m", 401, 403, 200, 200],
    ["POST", "/v1/exchanges?code=40&nas_identifier=e&username=m", 401, 403, 200, 200],
    ["POST", ACCESS_REQUEST, 401, 403, 403, 200],
  ];
  it.each(rows)("%s %s: none %i, monitor %i, operator %i, admin %i", async (method, path, none, ...byRole) => {
    const hub = await start({ tokens: TOKENS });
    expect((await call(hub, method, path)).status).toBe(none);
    for (const [index, { token }] of TOKENS.entries()) {
      const { status } = await call(hub, method, path, { Authorization: `Bearer ${token}` });
      expect(status, token).toBe(byRole[index]);
    }
  });
});

describe("credentials", () => {
  it.each([
    ["the scheme in another case", "bEaReR operator-token", 200],
    ["Basic with a colon in the password", basic("kiosk:pass:word"), 200],
    ["an unknown token", "Bearer sekrit-guess", 401],
    ["a prefix of a token", "Bearer operator-toke", 401],
    ["a token with something behind it", "Bearer operator-tokenx", 401],
    ["a token in the Basic scheme", "Basic operator-token", 401],
    ["a Basic pair as token", "Bearer kiosk:pass:word", 401],
    ["a wrong password", basic("kiosk:sekrit-guess"), 401],
    ["a wrong user", basic("sekrit-guess:pass:word"), 401],
    ["no password", basic("kiosk"), 401],
    ["base64 that is none", "Basic %%%sekrit-guess", 401],
    ["another scheme", "Digest sekrit-guess", 401],
    ["the scheme alone", "Bearer", 401],
    ["two tokens", "Bearer operator-token sekrit-guess", 401],
  ])("%s", async (_, authorization, status) => {
    const hub = await start({ tokens: TOKENS, basic: BASIC });
    const answer = await call(hub, "POST", DISCONNECT, { Authorization: authorization });
    expect(answer.status).toBe(status);
    if (status !== 401) return;
    expect(answer.headers.get("www-authenticate")).toBe(
      'Bearer realm="radsec-hub", Basic realm="radsec-hub", charset="UTF-8"',
    );
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    // Invariant 10: what was presented is in no answer and in no log line.
    expect(hub.lines.length).toBeGreaterThan(0);
    for (const text of [answer.text, ...hub.lines]) {
      expect(text).not.toContain("sekrit-guess");
      expect(text).not.toContain(authorization.split(" ").at(-1));
    }
  });

  it("wrong credentials are refused on /live too", async () => {
    const hub = await start({ tokens: TOKENS });
    expect((await call(hub, "GET", "/live", { Authorization: "Bearer x" })).status).toBe(401);
  });

  it("refusals are logged once in a while, not each time", async () => {
    const hub = await start({ tokens: TOKENS });
    for (let round = 0; round < 20; round += 1) await call(hub, "GET", "/v1/links");
    expect(hub.lines.filter((line) => line.includes("refused"))).toHaveLength(1);
  });

  it("/ready tells the details to those who are known only", async () => {
    const hub = await start({ tokens: TOKENS });
    expect((await call(hub, "GET", "/ready")).text).not.toContain("secret detail");
    const known = await call(hub, "GET", "/ready", { Authorization: "Bearer monitor-token" });
    expect(known.text).toContain("secret detail");
  });

  it("names the caller in the log, without query and token", async () => {
    const hub = await start({ tokens: TOKENS });
    await call(hub, "POST", DISCONNECT, { Authorization: "Bearer operator-token", "X-Request-Id": "r1" });
    const [line] = hub.lines;
    expect(JSON.parse(line ?? "{}")).toMatchObject({
      caller: "helpdesk",
      path: "/disconnect",
      status: 200,
      requestId: "r1",
      message: "HTTP from 127.0.0.1: POST /disconnect: 200",
    });
    expect(line).not.toContain("username");
  });

  it("says in the log why a call was not done", async () => {
    const hub = await start({ tokens: TOKENS });
    await call(hub, "POST", "/disconnect", { Authorization: "Bearer operator-token" });
    await call(hub, "GET", "/v1/links");
    expect(hub.lines.map((line) => JSON.parse(line))).toMatchObject([
      { problem: "no-target", message: "HTTP from 127.0.0.1: POST /disconnect: 422 no-target" },
      { problem: "unauthorized", message: "HTTP from 127.0.0.1 refused: GET /v1/links: 401 unauthorized" },
    ]);
  });
});

describe("http.clients", () => {
  it("403 for an address in no network, on every path", async () => {
    const hub = await start({ tokens: TOKENS, clients: [{ network: "10.0.0.0/8" }, { network: "2001:db8::/32" }] });
    for (const path of ["/live", "/v1/links", "/nowhere"]) {
      const answer = await call(hub, "GET", path, { Authorization: "Bearer admin-token" });
      expect([answer.status, answer.code]).toEqual([403, "network-not-allowed"]);
    }
  });

  it("a network without role needs a token; one with a role does not, and the token counts where there is one", async () => {
    const plain = await start({ tokens: TOKENS, clients: [{ network: "127.0.0.1" }] });
    expect((await call(plain, "GET", "/v1/links")).status).toBe(401);
    expect((await call(plain, "GET", "/v1/links", { Authorization: "Bearer monitor-token" })).status).toBe(200);
    const trusted = await start({ tokens: TOKENS, clients: [{ network: "127.0.0.0/8", role: "monitor" }] });
    expect((await call(trusted, "GET", "/v1/links")).status).toBe(200);
    expect((await call(trusted, "POST", DISCONNECT)).status).toBe(403);
    expect((await call(trusted, "POST", DISCONNECT, { Authorization: "Bearer operator-token" })).status).toBe(200);
    expect((await call(trusted, "GET", "/v1/links", { Authorization: "Bearer wrong" })).status).toBe(401);
  });

  it("networks alone, without any token, let their callers disconnect and no more", async () => {
    const hub = await start({ clients: [{ network: "127.0.0.1/32" }] });
    expect((await call(hub, "POST", DISCONNECT)).status).toBe(200);
    expect((await call(hub, "POST", ACCESS_REQUEST)).status).toBe(403);
  });
});

describe("without credentials: pages in a browser", () => {
  const HOSTS: [host: string, open: number, network: number][] = [
    ["localhost", 200, 200],
    ["LOCALHOST:4000", 200, 200],
    ["127.0.0.1:9", 200, 200],
    ["[::1]:4000", 200, 200],
    ["hub.example", 200, 200], // allowedHosts
    ["evil.example", 403, 403],
    ["localhost.evil.example", 403, 403],
    ["127.0.0.1.evil.example", 403, 403],
    ["192.0.2.1", 403, 200],
    ["hub:4000", 403, 200],
  ];
  it.each(HOSTS)("Host %s: %i on loopback, %i for a trusted network", async (host, open, network) => {
    const loopback = await start({ allowedHosts: ["hub.example"] });
    const trusting = await start({
      allowedHosts: ["hub.example"],
      clients: [{ network: "127.0.0.1", role: "operator" }],
    });
    for (const [hub, status] of [
      [loopback, open],
      [trusting, network],
    ] as const) {
      const answer = await callAs(hub, "GET", "/v1/links", { Host: host });
      expect(answer.status).toBe(status);
      if (status === 403) expect(answer.code).toBe("foreign-host");
    }
  });

  const ORIGINS: [origin: string, status: number][] = [
    ["http://localhost:4000", 200],
    ["https://localhost:4000", 200],
    ["http://hub.example", 200],
    ["http://localhost:3000", 403],
    ["http://localhost", 403],
    ["http://evil.example", 403],
    ["http://localhost:4000.evil.example", 403],
    ["http://localhost:4000/", 403],
    ["null", 403],
    ["file://", 403],
  ];
  it.each(ORIGINS)("Origin %s: %i", async (origin, status) => {
    const hub = await start({ allowedHosts: ["hub.example"] });
    for (const [method, path] of [
      ["GET", "/v1/links"],
      ["POST", DISCONNECT],
    ] as const) {
      const answer = await callAs(hub, method, path, { Host: "localhost:4000", Origin: origin });
      expect(answer.status, method).toBe(status);
      if (status === 403) expect(answer.code).toBe("foreign-origin");
    }
  });

  it("with a token a foreign page still changes nothing, and any Host is right", async () => {
    const hub = await start({ tokens: TOKENS });
    const headers = { Host: "hub.elsewhere", Authorization: "Bearer admin-token" };
    expect((await callAs(hub, "POST", DISCONNECT, headers)).status).toBe(200);
    const foreign = { ...headers, Origin: "https://evil.example" };
    expect(await callAs(hub, "POST", DISCONNECT, foreign)).toEqual({ status: 403, code: "foreign-origin" });
    expect(await callAs(hub, "DELETE", "/v1/links/x", foreign)).toEqual({ status: 403, code: "foreign-origin" });
    expect((await callAs(hub, "GET", "/v1/links", foreign)).status).toBe(200);
  });

  it("a form of a foreign page, which needs no preflight, is refused before it is read", async () => {
    const hub = await start({});
    const response = await fetch(`${hub.url}/disconnect`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", Origin: "https://evil.example" },
      body: "nas_identifier=e&username=m",
    });
    expect(response.status).toBe(403);
    expect(hub.dynauth.requests).toEqual([]);
    expect(response.headers.get("access-control-allow-origin")).toBeNull();
  });
});

describe("HttpApi.start() and apply()", () => {
  it.each(["0.0.0.0", "::", "192.0.2.1"])("start() refuses %s without any access rule: ERR_CONFIG", async (address) => {
    await expect(startApi({ address })).rejects.toMatchObject({
      code: "ERR_CONFIG",
      message: expect.stringContaining(address),
    });
  });

  it.each([
    { tokens: [{ name: "a", token: "", role: "admin" }] },
    { basic: [{ name: "a", password: "", role: "admin" }] },
    { clients: [{ network: "10.0.0.0/33" }] },
  ] as Partial<HttpOptions>[])("the constructor refuses %j: ERR_CONFIG", async (options) => {
    await expect(startApi(options)).rejects.toMatchObject({ code: "ERR_CONFIG" });
  });

  it("start() names address and port in one line when the port is in use: ERR_LISTEN", async () => {
    const hub = await start({});
    const second = startApi({ port: hub.port });
    await expect(second).rejects.toMatchObject({
      code: "ERR_LISTEN",
      message: `the HTTP API can not listen on 127.0.0.1:${hub.port}: the port is in use by another process`,
    });
  });

  it("apply() swaps tokens on a live connection and names what needs a restart", async () => {
    const hub = await start({ tokens: TOKENS });
    const old = { Authorization: "Bearer monitor-token" };
    expect((await call(hub, "GET", "/v1/links", old)).status).toBe(200);
    const tokens: HttpOptions["tokens"] = [{ name: "new", token: "new-token", role: "monitor" }];
    expect(hub.api.apply({ ...httpOptions, tokens, port: 1, address: "::1" })).toEqual(["http.address", "http.port"]);
    expect((await call(hub, "GET", "/v1/links", old)).status).toBe(401);
    expect((await call(hub, "GET", "/v1/links", { Authorization: "Bearer new-token" })).status).toBe(200);
  });

  it("apply() keeps the rules of an open address until the restart that closes it", async () => {
    const hub = await start({ address: "0.0.0.0", tokens: TOKENS });
    const needsRestart = hub.api.apply({ ...httpOptions, address: "127.0.0.1" });
    expect(needsRestart).toEqual(["http.tokens", "http.basic", "http.clients", "http.address"]);
    expect((await call(hub, "GET", "/v1/links")).status).toBe(401);
  });
});
