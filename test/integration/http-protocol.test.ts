import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningApi, startApi } from "../support/http-api.ts";
import { rawAnswer } from "../support/raw-http.ts";

let hub: RunningApi;
beforeAll(async () => {
  hub = await startApi({ bodyBytesMax: 1_000, timeoutMaxMs: 30_000, headerTimeoutMs: 300, requestTimeoutMs: 600 });
});
afterAll(() => hub.stop());

async function send(path: string, method = "POST") {
  const response = await fetch(hub.url + path, { method });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

describe("HTTP itself", () => {
  it("404 for an unknown path, as a problem", async () => {
    const { status, body } = await send("/disconect?nas_identifier=e");
    expect(status).toBe(404);
    expect(body).toMatchObject({ code: "not-found" });
  });

  it.each([
    ["GET", "/disconnect", "POST"],
    ["PUT", "/v1/links", "GET, HEAD"],
    ["OPTIONS", "/coa", "POST"],
    ["POST", "/v1/links/n1-1", "GET, HEAD, DELETE"],
    ["PATCH", "/v1/bindings/x", "GET, HEAD, DELETE"],
  ])("405 with Allow for %s %s", async (method, path, allow) => {
    const { status, headers, body } = await send(path, method);
    expect(status).toBe(405);
    expect(headers.get("allow")).toBe(allow);
    expect(body).toMatchObject({ code: "method-not-allowed" });
  });

  it.each([
    { name: "no HTTP at all", octets: "\u0016\u0003\u0001\u0000\u0005hello\r\n\r\n", status: 400 },
    { name: "no Host", octets: "GET /live HTTP/1.1\r\n\r\n", status: 400 },
    {
      name: "a Host that is none",
      octets: "GET /live HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n",
      status: 400,
    },
    {
      name: "both lengths",
      octets: "POST /coa HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      status: 400,
    },
    {
      name: "a header section of 20 kB",
      octets: `GET /live HTTP/1.1\r\nHost: localhost\r\nX: ${"a".repeat(20_000)}\r\n\r\n`,
      status: 431,
    },
  ])("$status for $name", async ({ octets, status }) => {
    expect(await rawAnswer(hub.port, octets)).toContain(`HTTP/1.1 ${status}`);
  });

  it("408 for a head and for a body that does not come in time", async () => {
    const head = "POST /disconnect HTTP/1.1\r\nHost: localhost\r\n";
    const [slowHead, slowBody] = await Promise.all([
      rawAnswer(hub.port, head),
      rawAnswer(hub.port, `${head}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{`),
    ]);
    expect(slowHead).toContain("HTTP/1.1 408");
    expect(slowHead).toContain('"code":"request-timeout"');
    expect(slowBody).toContain("HTTP/1.1 408");
  });

  it.each(["a b", "x".repeat(129), "<script>", ""])(
    "a request id that is not harmless is replaced: %j",
    async (given) => {
      const response = await fetch(`${hub.url}/live`, { headers: { "X-Request-Id": given } });
      expect(response.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9_-]{8}-[a-z0-9]+$/);
    },
  );
});
