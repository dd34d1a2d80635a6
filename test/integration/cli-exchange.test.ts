import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.ts";
import { CapturedIo } from "../support/cli-io.ts";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** An HTTP API that says what the test tells it to. */
const asked: Asked[] = [];
let answers: { status: number; body: string }[] = [];
const server = createServer((incoming, response) => {
  const chunks: Buffer[] = [];
  incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
  incoming.on("end", () => {
    const text = Buffer.concat(chunks).toString();
    const { method = "", url = "", headers } = incoming;
    asked.push({ method, url, headers, body: text === "" ? undefined : JSON.parse(text) });
    const { status, body } = answers.shift() ?? { status: 500, body: "" };
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
});
let url: string;
let io: CapturedIo;

beforeEach(async () => {
  asked.length = 0;
  io = new CapturedIo("/");
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  if (!server.listening) return;
  server.close();
  server.closeAllConnections();
  await once(server, "close");
});

const hub = (...argv: string[]) => run([...argv, "--url", url], io);
const say = (status: number, body: unknown) => (answers = [{ status, body: JSON.stringify(body) }]);
const ACK = { outcome: "ack", nas: "shop-7", link_id: "hub-1", duration_ms: 3.21 };

describe("radsec-hub disconnect and coa", () => {
  it("send what the options say, and the token of the environment", async () => {
    say(200, ACK);
    io.env["RADSEC_HUB_TOKEN"] = "t0ken";
    const options = [
      "--nas",
      "shop-7",
      "--user",
      "alice",
      "--session",
      "a1",
      "--mac",
      "02-00",
      "--framed-ip",
      "10.0.0.7",
    ];
    const attributes = ["--attribute", "Session-Timeout=600", "--attribute", "Filter-Id=a=b"];
    expect(await hub("coa", ...options, ...attributes, "--wait", "2s", "--force")).toBe(0);
    expect(asked).toMatchObject([{ method: "POST", url: "/coa", headers: { authorization: "Bearer t0ken" } }]);
    expect(asked[0]?.body).toEqual({
      nas_identifier: "shop-7",
      username: "alice",
      session_id: "a1",
      calling_station_id: "02-00",
      framed_ip: "10.0.0.7",
      timeout: "2s",
      force: true,
      attributes: [
        { name: "Session-Timeout", value: "600" },
        { name: "Filter-Id", value: "a=b" },
      ],
    });
    expect(io.out).toBe("ack (shop-7, link hub-1 after 3.2 ms)\n");
  });

  it.each([
    ["ack", 200, 0],
    ["nak", 409, 3],
    ["nak", 202, 0], // RC-12: re-authorisation has begun
    ["timeout", 504, 4],
    ["no-route", 404, 5],
    ["busy", 503, 6],
    ["closed", 502, 6],
  ])("outcome %s, status %d, is exit code %d", async (outcome, status, exitCode) => {
    say(status, { ...ACK, outcome, code: outcome, detail: "why it is so" });
    expect(await hub("disconnect", "--nas", "shop-7", "--user", "alice")).toBe(exitCode);
    expect(io.out).toBe(`${outcome}: why it is so (shop-7, link hub-1 after 3.2 ms)\n`);
  });

  it.each([
    ["ambiguous", 422, 1],
    ["unauthorized", 401, 1],
    ["stopping", 503, 6],
  ])("problem %s, status %d, is exit code %d", async (code, status, exitCode) => {
    say(status, { code, detail: "the detail", candidates: [{ link_id: "hub-1" }] });
    expect(await hub("disconnect", "--nas", "shop-7")).toBe(exitCode);
    expect(io.lines).toEqual([`${code}: the detail`, '  {"link_id":"hub-1"}']);
  });

  it("a user needs no NAS: the hub knows where it is, or that it is nowhere", async () => {
    say(200, { outcomes: [ACK] });
    expect(await hub("disconnect", "--user", "alice")).toBe(0);
    expect(asked[0]?.body).toEqual({ username: "alice" });
    say(404, { code: "no-session", detail: "no open acct session fits", outcome: "no-route" });
    expect(await hub("disconnect", "--mac", "00-11-22-AA-BB-CC")).toBe(5);
  });

  it("several outcomes give a line each and the exit code of the first that is no ack", async () => {
    say(207, { outcomes: [ACK, { ...ACK, outcome: "timeout", link_id: "hub-2" }, { ...ACK, outcome: "nak" }] });
    expect(await hub("disconnect", "--nas", "shop-7")).toBe(4);
    expect(io.lines).toHaveLength(3);
  });

  it("--json prints the answer as it came, with the same exit code", async () => {
    say(409, { ...ACK, outcome: "nak" });
    expect(await hub("disconnect", "--nas", "shop-7", "--json")).toBe(3);
    expect(JSON.parse(io.out)).toEqual({ ...ACK, outcome: "nak" });
  });

  it("exit code 7 when nothing listens, and when what listens is no hub", async () => {
    answers = [{ status: 200, body: "<html>" }];
    expect(await hub("disconnect", "--nas", "shop-7")).toBe(7);
    server.close();
    server.closeAllConnections();
    await once(server, "close");
    expect(await hub("disconnect", "--nas", "shop-7")).toBe(7);
    expect(io.err.trimEnd().split("\n")).toEqual([
      `radsec-hub: no hub answers at ${url}: the answer is not JSON`,
      `radsec-hub: no hub answers at ${url}: ECONNREFUSED`,
    ]);
  });

  it("a mistake is one line and exit code 1, and nothing is asked", async () => {
    expect(await hub("disconnect", "--wait", "10s")).toBe(1);
    expect(await hub("coa", "--nas", "x", "--attribute", "Filter-Id")).toBe(1);
    expect(await run(["disconnect", "--nas", "x", "--url", "nonsense"], io)).toBe(1);
    expect(io.err.trimEnd().split("\n")).toHaveLength(3);
    expect(asked).toEqual([]);
  });
});

describe("radsec-hub links", () => {
  const link = (linkId: string, names: string[]) => ({
    link_id: linkId,
    nas_identifiers: names,
    nas_addresses: [],
    peer: { kind: "certificate", label: "shop-7.example" },
    address: "192.0.2.7",
    port: 40_000,
    listener: "radsec",
    client: "edge",
    connected_at: "2026-11-22T07:00:00.000Z",
    in_flight: 0,
  });

  it("prints a table over all pages", async () => {
    answers = [
      { status: 200, body: JSON.stringify({ links: [link("hub-1", ["shop-7"])], next_cursor: "c u" }) },
      { status: 200, body: JSON.stringify({ links: [link("hub-2", [])], next_cursor: null }) },
    ];
    expect(await hub("links", "--nas", "shop 7")).toBe(0);
    expect(asked.map((each) => each.url)).toEqual([
      "/v1/links?limit=1000&nas_identifier=shop+7",
      "/v1/links?limit=1000&nas_identifier=shop+7&cursor=c+u",
    ]);
    expect(io.lines.map((line) => line.split(/ {2,}/).slice(0, 4))).toEqual([
      ["NAS", "LINK", "PEER", "ADDRESS"],
      ["shop-7", "hub-1", "shop-7.example", "192.0.2.7:40000"],
      ["-", "hub-2", "shop-7.example", "192.0.2.7:40000"],
    ]);
  });

  it("keeps control characters of a NAS-Identifier out of the terminal", async () => {
    say(200, { links: [link("hub-1", ["\u001b[31mred"])], next_cursor: null });
    await hub("links");
    expect(io.out).toContain("?[31mred");
    expect(io.out).not.toContain("\u001b");
  });

  it("--json prints all links as one object; a refusal is exit code 1", async () => {
    say(200, { links: [link("hub-1", [])], next_cursor: null });
    expect(await hub("links", "--json")).toBe(0);
    expect(JSON.parse(io.out)).toEqual({ links: [link("hub-1", [])] });
    say(401, { code: "unauthorized", detail: "credentials are needed" });
    expect(await hub("links")).toBe(1);
    expect(io.err).toBe("unauthorized: credentials are needed\n");
  });
});
