import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Outcome } from "../../src/dynauth/outcome.ts";
import { ack, nak, type RunningApi, startApi, unanswered } from "../support/http-api.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawHttp } from "../support/raw-http.ts";

const clock = new ManualClock();
const TOKENS = [
  { name: "one", token: "t1", role: "admin" },
  { name: "two", token: "t2", role: "admin" },
] as const;

let hub: RunningApi;
let exchanges: number;
beforeEach(async () => {
  exchanges = 0;
  hub = await startApi({ tokens: TOKENS }, { clock });
  answerWith(ack());
});
afterEach(() => hub.stop());

function answerWith(outcome: Outcome): void {
  hub.dynauth.script = () => [{ ...outcome, exchangeId: `x${(exchanges += 1)}` }];
}

async function post(path: string, key: string, token = "t1", signal?: AbortSignal) {
  const headers = { Authorization: `Bearer ${token}`, "Idempotency-Key": key };
  const response = await fetch(hub.url + path, {
    method: "POST",
    headers,
    ...(signal === undefined ? {} : { signal }),
  });
  const body = JSON.parse(await response.text());
  return { status: response.status, replayed: response.headers.get("idempotent-replayed"), body };
}

const DISCONNECT = "/disconnect?nas_identifier=e&username=m";

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe("Idempotency-Key", () => {
  it.each([
    { name: "ack", outcome: ack() },
    { name: "nak", outcome: nak(503) },
    { name: "timeout", outcome: unanswered({ kind: "timeout", mayHaveActed: true }) },
    { name: "closed after writing", outcome: unanswered({ kind: "closed", written: true, mayHaveActed: true }) },
  ])("gives the answer of the first request again: $name", async ({ outcome }) => {
    answerWith(outcome);
    const first = await post(DISCONNECT, "k");
    const second = await post(DISCONNECT, "k");
    expect(second).toEqual({ ...first, replayed: "true" });
    expect(first.replayed).toBeNull();
    expect(exchanges).toBe(1);
  });

  it.each([
    { name: "busy", outcome: unanswered({ kind: "busy", why: "queue-full" }) },
    { name: "no-route", outcome: unanswered({ kind: "no-route", why: "offline" }) },
    { name: "closed before writing", outcome: unanswered({ kind: "closed", written: false }) },
  ])("tries again what no NAS has seen: $name", async ({ outcome }) => {
    answerWith(outcome);
    await post(DISCONNECT, "k");
    answerWith(ack());
    expect(await post(DISCONNECT, "k")).toMatchObject({ status: 200, replayed: null });
    expect(exchanges).toBe(2);
  });

  it("joins the request in flight", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hub.dynauth.script = async () => {
      exchanges += 1;
      await promise;
      return [ack()];
    };
    const first = post(DISCONNECT, "k");
    await until(() => exchanges === 1);
    const second = post(DISCONNECT, "k");
    const other = post(DISCONNECT, "l");
    await until(() => exchanges === 2);
    resolve();
    expect((await first).replayed).toBeNull();
    expect(await second).toMatchObject({ status: 200, replayed: "true" });
    await other;
    expect(exchanges).toBe(2);
  });

  it("goes on when its caller leaves, so that the caller can come back for the answer", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hub.dynauth.script = async () => {
      exchanges += 1;
      await promise;
      return [ack()];
    };
    const leaving = new AbortController();
    const left = post(DISCONNECT, "k", "t1", leaving.signal).catch(() => "gone");
    await until(() => exchanges === 1);
    leaving.abort();
    expect(await left).toBe("gone");
    expect(hub.dynauth.requests[0]?.signal).toBeUndefined();
    const back = post(DISCONNECT, "k");
    resolve();
    expect(await back).toMatchObject({ status: 200 });
    expect(exchanges).toBe(1);
  });

  it("422 idempotency-conflict for the key of another request, also on another path", async () => {
    await post(DISCONNECT, "k");
    for (const path of ["/disconnect?nas_identifier=e&username=n", "/coa?nas_identifier=e&username=m"]) {
      expect(await post(path, "k")).toMatchObject({ status: 422, body: { code: "idempotency-conflict" } });
    }
    expect(exchanges).toBe(1);
  });

  it("the keys of two callers never meet", async () => {
    await post(DISCONNECT, "k");
    expect(await post(DISCONNECT, "k", "t2")).toMatchObject({ replayed: null });
    expect(exchanges).toBe(2);
  });

  it("is forgotten after ten minutes", async () => {
    await post(DISCONNECT, "k");
    clock.advance(599_000);
    expect((await post(DISCONNECT, "k")).replayed).toBe("true");
    clock.advance(2_000);
    expect((await post(DISCONNECT, "k")).replayed).toBeNull();
  });

  it("bad input uses up no key", async () => {
    expect((await post("/disconnect?username=m", "k")).status).toBe(422);
    expect((await post(DISCONNECT, "k")).status).toBe(200);
  });

  it.each(["a b", "é", "x".repeat(256)])("422 for the key %j", async (key) => {
    expect(await post(DISCONNECT, key)).toMatchObject({ status: 422, body: { code: "bad-input" } });
  });
});

describe("HttpApi.stop()", () => {
  it("lets what is in flight finish and closes its connection; nothing new is taken", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    hub.dynauth.script = async () => {
      exchanges += 1;
      await promise;
      return [ack()];
    };
    const idle = new RawHttp(hub.port);
    idle.write("GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n");
    await idle.until("live");
    const busy = new RawHttp(hub.port);
    busy.write(`POST ${DISCONNECT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t1\r\n\r\n`);
    await until(() => exchanges === 1);
    const stopped = hub.api.stop(60_000);
    await idle.untilClosed();
    await expect(fetch(`${hub.url}/live`)).rejects.toThrow();
    resolve();
    const answer = await busy.untilClosed();
    expect(answer).toContain("HTTP/1.1 200");
    expect(answer.toLowerCase()).toContain("connection: close");
    await stopped;
  });

  it("answers 503 stopping on a connection that was busy when it began", async () => {
    const slow = new RawHttp(hub.port);
    slow.write("GET /live HTTP/1.1\r\nHost: localhost\r\n"); // the head is under way
    await fetch(`${hub.url}/live`); // what was written before has been read by now
    const stopped = hub.api.stop(60_000);
    slow.write("\r\n");
    const answer = await slow.untilClosed();
    expect(answer).toContain("HTTP/1.1 503");
    expect(answer).toContain('"code":"stopping"');
    expect(answer.toLowerCase()).toContain("connection: close");
    await stopped;
  });

  it("cuts what has not finished when the grace is over, and tells dynauth", async () => {
    let aborted = false;
    hub.dynauth.script = (request) => {
      exchanges += 1;
      return new Promise((settle) =>
        request.signal?.addEventListener("abort", () => {
          aborted = true;
          settle([unanswered({ kind: "closed", written: false })]);
        }),
      );
    };
    const busy = new RawHttp(hub.port);
    busy.write(`POST ${DISCONNECT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t1\r\n\r\n`);
    await until(() => exchanges === 1);
    const stopped = hub.api.stop(5_000);
    expect(aborted).toBe(false);
    clock.advance(5_000);
    await stopped;
    expect(await busy.untilClosed()).toBe("");
    expect(aborted).toBe(true);
  });
});
