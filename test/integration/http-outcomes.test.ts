import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/dynauth/outcome.ts";
import { HubError } from "../../src/errors.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import type { Cancellation } from "../../src/transport/cancellation.ts";
import { ack, nak, type RunningApi, startApi, unanswered } from "../support/http-api.ts";

let hub: RunningApi;
beforeAll(async () => {
  hub = await startApi();
});
afterAll(() => hub.stop());
beforeEach(() => {
  hub.dynauth.requests.length = 0;
  hub.dynauth.script = () => [ack()];
});

const DISCONNECT = "/disconnect?nas_identifier=edge-1&username=mikem";

async function post(path: string, init: RequestInit = {}) {
  const response = await fetch(hub.url + path, { method: "POST", ...init });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

describe("POST /disconnect", () => {
  it("takes the seed's command: curl -X POST '/disconnect?nas_identifier=X&username=Y'", async () => {
    const { status, headers, body } = await post(DISCONNECT, { headers: { "X-Request-Id": "req-7" } });
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("x-request-id")).toBe("req-7");
    expect(body).toEqual({
      outcome: "ack",
      exchange_id: "x1",
      nas: "edge-1",
      session_key: null,
      link_id: "n1-1",
      reply: { code: 41, name: "Disconnect-ACK", attributes: [] },
      error_cause: null,
      why: null,
      may_have_acted: false,
      protocol_error: false,
      attempts: [{ link_id: "n1-1", ended: "reply", took_ms: 1.235 }],
      duration_ms: 2.5,
      request_id: "req-7",
    });
    expect(hub.dynauth.requests).toMatchObject([
      {
        code: 40,
        target: { nasIdentifier: "edge-1" },
        attributes: [textAttribute(ATTRIBUTE.userName, "mikem")],
        force: false,
        trigger: "http",
        requestId: "req-7",
      },
    ]);
  });

  const rows: { name: string; outcome: Outcome; status: number; facts: object; retryAfter?: string }[] = [
    {
      name: "nak 409 with Error-Cause",
      outcome: nak(503),
      status: 409,
      facts: {
        code: "nak",
        error_cause: { number: 503, name: "Session-Context-Not-Found" },
        reply: {
          code: 42,
          name: "Disconnect-NAK",
          attributes: [{ name: "Error-Cause", value: "Session-Context-Not-Found" }],
        },
      },
    },
    {
      name: "nak 409 without Error-Cause",
      outcome: nak(undefined),
      status: 409,
      facts: { code: "nak", error_cause: null },
    },
    {
      name: "timeout 504, may have acted",
      outcome: unanswered({ kind: "timeout", linkId: "n1-1", mayHaveActed: true }),
      status: 504,
      facts: { code: "timeout", may_have_acted: true, reply: null },
    },
    ...(["unknown", "offline", "not-permitted"] as const).map((why) => ({
      name: `no-route 404, ${why}`,
      outcome: unanswered({ kind: "no-route", why }),
      status: 404,
      facts: { code: "no-route", why, link_id: null },
    })),
    {
      name: "busy 503 with Retry-After",
      outcome: unanswered({ kind: "busy", why: "queue-full" }),
      status: 503,
      facts: { code: "busy", why: "queue-full" },
      retryAfter: "1",
    },
    {
      name: "busy 503 while stopping",
      outcome: unanswered({ kind: "busy", why: "stopping" }),
      status: 503,
      facts: { code: "busy", why: "stopping" },
      retryAfter: "5",
    },
    {
      name: "closed 502, written",
      outcome: unanswered({ kind: "closed", written: true, mayHaveActed: true }),
      status: 502,
      facts: { code: "closed", may_have_acted: true },
    },
  ];
  it.each(rows)("answers $name", async ({ outcome, status, facts, retryAfter }) => {
    hub.dynauth.script = () => [outcome];
    const answer = await post(DISCONNECT, { headers: { "X-Request-Id": "req-8" } });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.headers.get("retry-after")).toBe(retryAfter ?? null);
    expect(answer.body).toMatchObject({
      ...facts,
      outcome: outcome.kind,
      type: `urn:radsec-hub:problem:${outcome.kind}`,
      title: expect.any(String),
      detail: expect.any(String),
      status,
      instance: "urn:radsec-hub:request:req-8",
      request_id: "req-8",
      exchange_id: "x1",
    });
  });

  it("RC-12 answers 202 when the NAS began the re-authorisation that was asked for (507)", async () => {
    hub.dynauth.script = () => [ack({ kind: "nak", replyCode: 45, errorCause: 507, requestInitiated: true })];
    const { status, body } = await post("/coa?nas_identifier=edge-1&username=mikem");
    expect(status).toBe(202);
    expect(body).toMatchObject({ outcome: "nak", error_cause: { number: 507 } });
    expect(body.detail).toContain("Request-Initiated (507)");
  });

  it("RC-18 says protocol_error when the NAS answered Protocol-Error", async () => {
    hub.dynauth.script = () => [ack({ kind: "nak", replyCode: 52, protocolError: true, errorCause: 406 })];
    const { status, body } = await post(DISCONNECT);
    expect(status).toBe(409);
    expect(body).toMatchObject({ protocol_error: true, reply: { code: 52, name: "Protocol-Error" } });
  });

  it("answers several outcomes one by one: 200 when all are ack, else 207", async () => {
    hub.dynauth.script = () => [ack(), ack({ exchangeId: "x2" })];
    const all = await post(DISCONNECT);
    expect(all.status).toBe(200);
    expect(all.body.outcomes).toMatchObject([{ status: 200, exchange_id: "x1" }, { exchange_id: "x2" }]);
    hub.dynauth.script = () => [ack(), nak(504)];
    const some = await post(DISCONNECT);
    expect(some.status).toBe(207);
    expect(some.headers.get("content-type")).toBe("application/json");
    expect(some.body.outcomes).toMatchObject([
      { status: 200, outcome: "ack" },
      { status: 409, code: "nak", error_cause: { number: 504 } },
    ]);
  });
});

describe("refusals of dynauth", () => {
  it.each([
    ["ERR_UNDER_SPECIFIED", 422, "under-specified"],
    ["ERR_RADIUS_TOO_LONG", 422, "too-long"],
    ["ERR_INPUT", 422, "bad-input"],
    ["ERR_STOPPED", 503, "stopping"],
  ] as const)("%s is %i %s", async (code, status, problem) => {
    hub.dynauth.script = () => {
      throw new HubError(code, "why");
    };
    const answer = await post(DISCONNECT);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code: problem, detail: "why", status });
    expect(answer.headers.get("retry-after")).toBe(status === 503 ? "5" : null);
  });

  it("ERR_AMBIGUOUS is 422 ambiguous with the candidates", async () => {
    hub.dynauth.script = () => {
      throw new HubError("ERR_AMBIGUOUS", "two peers", {
        candidates: [{ linkId: "n1-1", peer: "a", address: "192.0.2.1" }],
      });
    };
    const { status, body } = await post(DISCONNECT);
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "ambiguous",
      candidates: [{ link_id: "n1-1", peer: "a", address: "192.0.2.1" }],
    });
  });

  it("RC-11 ERR_ATTRIBUTE_NOT_ALLOWED names the attribute", async () => {
    hub.dynauth.script = () => {
      throw new HubError("ERR_ATTRIBUTE_NOT_ALLOWED", "attribute 6 does not belong", { code: 40, type: 6 });
    };
    const { status, body } = await post(DISCONNECT);
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "attribute-not-allowed",
      attribute: "Service-Type",
      detail: "Service-Type does not belong",
    });
  });

  it("a fault of the hub is 500 without a word about it, and in the log", async () => {
    hub.dynauth.script = () => {
      throw new Error("the password is hunter2");
    };
    const { status, body } = await post(DISCONNECT, { headers: { "X-Request-Id": "req-9" } });
    expect(status).toBe(500);
    expect(JSON.stringify(body)).not.toContain("hunter2");
    expect(body).toMatchObject({ code: "internal", request_id: "req-9" });
    expect(hub.lines.some((line) => line.includes("the HTTP API failed") && line.includes("req-9"))).toBe(true);
  });
});

describe("POST /coa and /v1/exchanges", () => {
  it("/coa sends code 43 with attributes by name, as object or list", async () => {
    const object = {
      nas_identifier: "edge-1",
      username: "mikem",
      attributes: { "Mikrotik-Rate-Limit": "1M/1M", "Session-Timeout": 60 },
    };
    const list = {
      nas_identifier: "edge-1",
      username: "mikem",
      attributes: [
        { name: "Mikrotik-Rate-Limit", value: "1M/1M" },
        { name: 27, value: 60 },
      ],
    };
    for (const body of [object, list]) {
      const answer = await post("/coa", {
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      });
      expect(answer.status).toBe(200);
    }
    const [first, second] = hub.dynauth.requests;
    expect(first).toMatchObject({ code: 43 });
    expect(first?.attributes.map(({ type }) => type)).toEqual([1, 26, 27]);
    expect(second?.attributes).toEqual(first?.attributes);
  });

  it.each([40, "40", "Disconnect-Request", "disconnect-request"])("/v1/exchanges takes code %j", async (code) => {
    const body = JSON.stringify({ code, nas_identifier: "edge-1", attributes: { "User-Name": "mikem" } });
    const { status } = await post("/v1/exchanges", { body, headers: { "Content-Type": "application/json" } });
    expect(status).toBe(200);
    expect(hub.dynauth.requests).toMatchObject([{ code: 40, attributes: [{ type: 1 }] }]);
  });

  it("passes the departure of the caller to dynauth", async () => {
    const { promise: seen, resolve } = Promise.withResolvers<Cancellation | undefined>();
    const { promise: aborted, resolve: noticed } = Promise.withResolvers<void>();
    hub.dynauth.script = (request) => {
      resolve(request.signal);
      return new Promise((settle) =>
        request.signal?.addEventListener("abort", () => {
          noticed();
          settle([unanswered({ kind: "closed", written: false })]);
        }),
      );
    };
    const leaving = new AbortController();
    const pending = fetch(hub.url + DISCONNECT, { method: "POST", signal: leaving.signal }).catch(() => "gone");
    expect((await seen)?.aborted).toBe(false);
    leaving.abort();
    await aborted;
    expect(await pending).toBe("gone");
  });
});
