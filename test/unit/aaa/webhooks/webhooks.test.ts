import { createHmac } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { signatureHeaders } from "../../../../src/aaa/webhooks/signature.ts";
import type { WebhookTarget } from "../../../../src/aaa/webhooks/options.ts";
import { Webhooks } from "../../../../src/aaa/webhooks/webhooks.ts";
import { systemRandom } from "../../../../src/clock.ts";
import { EventFeed, type HubEvent } from "../../../../src/events.ts";
import { storeError } from "../../../../src/store/store-error.ts";
import { SqliteStore } from "../../../../src/store/sqlite/sqlite-store.ts";
import { FakeLink } from "../../../support/fake-link.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

const SECRET = "a secret of the receiver";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks; `status` undefined: it never answers. */
async function receiver(status: () => number | undefined = () => 204) {
  const received: Received[] = [];
  const server = createServer((request, response) => void hear(request, response));
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    received.push({ headers: request.headers, body });
    const code = status();
    if (code !== undefined) response.writeHead(code, code === 302 ? { Location: "/elsewhere" } : {}).end();
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

function target(name: string, url: string, changes: Partial<WebhookTarget> = {}): WebhookTarget {
  return {
    name,
    url,
    secret: SECRET,
    topics: new Set(["heartbeat.failed", "heartbeat.recovered", "session.started", "session.ended", "quota.reached"]),
    timeoutMs: 10_000,
    concurrency: 4,
    retry: { floorMs: 1_000, capMs: 60_000, attemptsMax: 3 },
    ...changes,
  };
}

async function rig(targets: readonly WebhookTarget[]) {
  const clock = new ManualClock();
  const faults: unknown[] = [];
  const events = new EventFeed((error) => faults.push(error));
  const seen: HubEvent[] = [];
  events.subscribe((event) => seen.push(event));
  const store = new SqliteStore({ clock }, { file: ":memory:" });
  store.start();
  await vi.waitUntil(() => store.health.state === "up", { timeout: 10_000, interval: 5 });
  const onFault = (error: unknown) => void faults.push(error);
  const webhooks = new Webhooks(
    { clock, random: systemRandom, events, outbox: store.outbox, version: "1.2.3", onFault },
    { targets },
  );
  webhooks.start();
  onTestFinished(async () => {
    await webhooks.stop();
    await store.stop();
    expect(faults).toEqual([]);
  });
  const fail = (detail = "no answer"): void => events.emit({ type: "heartbeat.failed", atMs: clock.wallMs(), detail });
  return { clock, events, seen, store, webhooks, fail };
}

describe("Webhooks", () => {
  it("tells a target that asked for it, signed by HMAC-SHA-256 over id, time and body, and forgets what was taken", async () => {
    const { url, received } = await receiver();
    const { clock, fail, store } = await rig([target("ops", url)]);
    fail("no answer within 5 s");
    await vi.waitUntil(() => received.length === 1);
    const [{ headers, body }] = received as [Received];
    expect(JSON.parse(body)).toEqual({
      type: "heartbeat.failed",
      timestamp: new Date(clock.wallMs()).toISOString(),
      data: { detail: "no answer within 5 s" },
    });
    const [id, time] = [headers["webhook-id"], headers["webhook-timestamp"]];
    expect(Number(time)).toBe(Math.floor(clock.wallMs() / 1_000));
    const signature = createHmac("sha256", SECRET)
      .update(`${String(id)}.${String(time)}.${body}`)
      .digest("base64");
    expect(headers["webhook-signature"]).toBe(`v1,${signature}`);
    expect(headers).toMatchObject({ "content-type": "application/json", "user-agent": "radsec-hub/1.2.3" });
    await expect.poll(() => store.outbox.counts()).toEqual({ waiting: 0, dead: 0 });
  });

  it("tells each target its own topics only, and a quota threshold only where it notifies", async () => {
    const [one, two] = [await receiver(), await receiver()];
    const topics = new Set(["quota.reached"] as const);
    const { events, fail } = await rig([target("one", one.url), target("two", two.url, { topics })]);
    const reached = { username: "bob", rule: "daily", threshold: 80, periodKey: "total", used: 8, amount: 10 };
    events.emit({ type: "quota.reached", atMs: 0, ...reached, notify: false });
    events.emit({ type: "quota.reached", atMs: 0, ...reached, notify: true });
    fail();
    await vi.waitUntil(() => one.received.length === 2 && two.received.length === 1);
    expect(JSON.parse((two.received[0] as Received).body)).toMatchObject({
      type: "quota.reached",
      data: { username: "bob", rule: "daily", threshold: 80, period: "total", used: 8, amount: 10 },
    });
  });

  it("tells of acct sessions that begin, end, and end because their NAS began anew", async () => {
    const { url, received } = await receiver();
    const { store, webhooks, clock } = await rig([target("ops", url)]);
    const link = new FakeLink({ linkId: "l1" });
    const common = {
      nasKey: "ap-1",
      arrivedAtMs: clock.wallMs(),
      staleAfterMs: 1_000,
      facts: { nasIdentifier: "ap-1" },
    };
    const tell = async (kind: "start" | "stop" | "on", acctSessionId: string) => {
      const record = { ...common, kind, acctSessionId, username: "bob", eventAtMs: clock.wallMs() };
      const [result] = await store.acctSessions.record([record]);
      if (result !== undefined) webhooks.recorded({ record, result, link });
    };
    await tell("start", "1");
    await tell("stop", "1");
    await tell("stop", "1");
    await tell("start", "2");
    clock.advance(1_000);
    await tell("on", "");
    await vi.waitUntil(() => received.length === 4);
    const told = received.map(({ body }) => JSON.parse(body) as { type: string; data: Record<string, unknown> });
    expect(
      told.map(({ type, data }) => `${type} ${String(data["key"])} ${String(data["close_cause"])}`).sort(),
    ).toEqual([
      "session.ended ap-1/1 stop",
      "session.ended ap-1/2 nas-on",
      "session.started ap-1/1 undefined",
      "session.started ap-1/2 undefined",
    ]);
  });

  it.each([
    { name: "HTTP 500", status: 500, error: "HTTP 500" },
    { name: "a redirect", status: 302, error: /redirect/ },
  ])("repeats after $name with back-off, and buries the message after attemptsMax", async ({ status, error }) => {
    const { url, received } = await receiver(() => status);
    const { clock, fail, store } = await rig([target("ops", url)]);
    fail();
    await vi.waitUntil(() => received.length === 1);
    await expect.poll(async () => (await store.outbox.counts()).waiting).toBe(1);
    await vi.waitUntil(
      async () => {
        clock.advance(1_000);
        return (await store.outbox.counts()).dead === 1;
      },
      { interval: 20 },
    );
    const { items } = await store.outbox.dead({ limit: 10 });
    expect(items).toMatchObject([{ attempts: 3, target: "ops" }]);
    expect(items[0]?.lastError).toMatch(error);
    expect(received).toHaveLength(3);
    expect(new Set(received.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
  });

  it("gives up a target that does not answer in time, and asks again", async () => {
    const { url, received } = await receiver(() => undefined);
    const { clock, fail, store } = await rig([target("ops", url)]);
    fail();
    await vi.waitUntil(() => received.length === 1);
    clock.advance(10_000);
    await vi.waitUntil(
      async () => {
        clock.advance(1_000);
        const [message] = await store.outbox.take(clock.wallMs() + 3_600_000, 0, 1);
        return message?.lastError === "no answer within 10 s";
      },
      { interval: 20 },
    );
  });

  it("invariant 9: one slow target does not stop the others, however much waits for it", async () => {
    const [slow, quick] = [await receiver(() => undefined), await receiver()];
    const topics = new Set(["heartbeat.recovered"] as const);
    const { clock, events, fail, webhooks } = await rig([
      target("slow", slow.url),
      target("quick", quick.url, { topics }),
    ]);
    for (let n = 0; n < 1_000; n += 1) fail();
    await vi.waitUntil(() => slow.received.length === 4);
    for (let n = 0; n < 10; n += 1) events.emit({ type: "heartbeat.recovered", atMs: clock.wallMs(), detail: "" });
    await vi.waitUntil(() => quick.received.length === 10, { timeout: 5_000 });
    expect(slow.received).toHaveLength(4);
    expect(webhooks.counts.targets.get("slow")?.counts.inFlight).toBe(4);
  });

  it("drops and counts what the store refuses; who tells is never held up", async () => {
    const { url } = await receiver();
    const { store, fail, webhooks, seen } = await rig([target("ops", url)]);
    Object.assign(store.outbox, { put: () => Promise.reject(storeError("down", "the disk is gone")) });
    for (let n = 0; n < 300; n += 1) fail();
    await vi.waitUntil(() => webhooks.counts.dropped === 300);
    expect(webhooks.counts.waiting).toBe(0);
    expect(seen.filter(({ type }) => type === "work.dropped")).toHaveLength(1);
  });

  it("buries what is for a target that is no longer configured", async () => {
    const { url, received } = await receiver(() => 500);
    const { clock, fail, store, webhooks } = await rig([target("ops", url)]);
    fail();
    await vi.waitUntil(() => received.length === 1);
    webhooks.apply({ targets: [] });
    await vi.waitUntil(
      async () => {
        clock.advance(30_000);
        return (await store.outbox.counts()).dead === 1;
      },
      { interval: 20 },
    );
  });

  it("stores what it was told before stop() resolves", async () => {
    const { url } = await receiver(() => undefined);
    const { fail, store, webhooks } = await rig([target("ops", url)]);
    fail();
    await webhooks.stop();
    expect(await store.outbox.counts()).toEqual({ waiting: 1, dead: 0 });
  });
});

describe("signatureHeaders()", () => {
  it("gives the example of Standard Webhooks", () => {
    const message = { messageId: "msg_p5jXN8AQM9LWM0D4loKWxJek", body: '{"test": 2432232314}' };
    const headers = signatureHeaders("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", message, 1_614_265_330_000);
    expect(headers).toEqual({
      "webhook-id": message.messageId,
      "webhook-timestamp": "1614265330",
      "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    });
  });
});
