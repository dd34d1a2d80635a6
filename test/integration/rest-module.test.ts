import { describe, expect, it, vi } from "vitest";
import type { ModuleLog, ModuleServices } from "../../src/aaa/pipeline/types.ts";
import { CODE } from "../../src/radius/codes.ts";
import { textAttribute } from "../../src/radius/attribute.ts";
import { empty, HttpBackEnd, json } from "../support/http-back-end.ts";
import { contextOf, login, moduleOf, ModuleRig } from "../support/module-rig.ts";

const call = (instance: string) => ({ kind: "call", instance, on: {} }) as const;

/** A pipeline with an instance `backend` of rest. */
async function rigOf(
  settings: object,
  services: Partial<ModuleServices> = {},
  sections: readonly string[] = ["authorize"],
) {
  const rig = new ModuleRig(services);
  const use = (more: object = {}) =>
    rig.use([], Object.fromEntries(sections.map((name) => [name, [call("backend")]])), {
      instances: [{ module: "rest", name: "backend", settings: { ...settings, ...more } }],
    });
  await use();
  return { rig, use };
}

const CHECK = { uri: "/check?token=query-token", body: "json", data: { u: "%{User-Name}", p: "%{User-Password}" } };

describe("rest, secrets", () => {
  it("tells the log nothing of tokens, passwords and users, whatever happens", async () => {
    const lines: unknown[] = [];
    const write = (facts: object, message: string): void => void lines.push({ ...facts, message });
    const log: ModuleLog = { debug: write, info: write, warn: write, error: write };
    const backEnd = await HttpBackEnd.start(json(200, { "Session-Timeout": "a-password", "No-Such": "a-password" }));
    const { rig } = await rigOf(
      {
        url: backEnd.origin,
        headers: { Authorization: "Bearer header-token" },
        basic: { username: "hub", password: "basic-password" },
        authorize: CHECK,
        retries: 0,
        breaker: { failures: 2 },
      },
      { log },
    );
    await rig.ask(login("a-user", "a-password"));
    backEnd.answer = (_, response) => void response.destroy();
    await rig.ask(login("a-user", "a-password"));
    await backEnd.down();
    await rig.ask(login("a-user", "a-password"));
    expect(lines.length).toBeGreaterThan(2);
    const basic = Buffer.from("hub:basic-password").toString("base64");
    const secrets = ["a-user", "a-password", "query-token", "header-token", "basic-password", basic];
    expect(
      secrets.filter((secret) =>
        JSON.stringify([lines, rig.events, rig.errors, rig.backEnds.figures()]).includes(secret),
      ),
    ).toEqual([]);
  });
});

describe("rest, the log", () => {
  it("warns of a back end that gives no answer once a minute, with how often it did not", async () => {
    const warn = vi.fn();
    const silent = () => undefined;
    const backEnd = await HttpBackEnd.start(empty(500));
    const settings = { url: backEnd.origin, authorize: CHECK, breaker: { failures: 0 } };
    const { rig } = await rigOf(settings, { log: { debug: silent, info: silent, warn, error: silent } });
    const told = () => warn.mock.calls.map(([facts]) => facts as unknown);
    const first = { origin: backEnd.origin, why: "status 500", failures: 1 };
    for (let n = 0; n < 3; n += 1) await rig.ask(login("bob", "secret"));
    expect(told()).toEqual([first]);
    rig.clock.advance(60_000);
    await rig.ask(login("bob", "secret"));
    expect(told()).toEqual([first, { ...first, failures: 3 }]);
  });
});

describe("rest, guesses", () => {
  const counted = () => ({ admit: vi.fn(() => ({ ok: true as const })), failed: vi.fn(), succeeded: vi.fn() });

  /** Counts of one login. */
  async function counts(status: number, body: unknown, settings: object = {}) {
    const guesses = counted();
    const backEnd = await HttpBackEnd.start(json(status, body));
    const users = { guesses } as unknown as NonNullable<ModuleServices["users"]>;
    const { rig } = await rigOf({ url: backEnd.origin, authorize: { ...CHECK, ...settings } }, { users });
    const reply = await rig.ask(login("bob", "secret"));
    const { admit, failed, succeeded } = guesses;
    return {
      reply,
      asked: backEnd.seen.length,
      counts: [admit, failed, succeeded].map(({ mock }) => mock.calls.length),
    };
  }

  it.each([
    ["a right password", 200, { "control:Auth-Type": "Accept" }, [1, 0, 1]],
    ["a wrong one", 401, {}, [1, 1, 0]],
    ["a user that nobody knows", 404, {}, [1, 1, 0]],
    ["attributes alone, which say nothing of the password", 200, { "Session-Timeout": 1 }, [1, 0, 0]],
    ["a back end that is down", 500, {}, [1, 0, 0]],
  ])("count %s", async (_, status, body, expected) => {
    expect((await counts(status, body)).counts).toEqual(expected);
  });

  it("do not count what a back end that is down is taken to say", async () => {
    const { counts: of, reply } = await counts(500, {}, { whenDown: "reject" });
    expect([of, reply.kind === "reply" && reply.code]).toEqual([[1, 0, 0], CODE.accessReject]);
  });

  it("beyond the limit are not asked about", async () => {
    const guesses = { ...counted(), admit: () => ({ ok: false as const, by: "user" as const, retryAfterMs: 1 }) };
    const backEnd = await HttpBackEnd.start(json(200, { "control:Auth-Type": "Accept" }));
    const users = { guesses } as unknown as NonNullable<ModuleServices["users"]>;
    const { rig } = await rigOf({ url: backEnd.origin, authorize: CHECK }, { users });
    expect(await rig.ask(login("bob", "secret"))).toMatchObject({ code: CODE.accessReject });
    expect([backEnd.seen, rig.faults()]).toEqual([[], []]);
  });
});

describe("rest, what lets nobody in", () => {
  const reject = { kind: "reply", code: CODE.accessReject };

  it("a 401 that says Accept, even where the lists go on", async () => {
    const backEnd = await HttpBackEnd.start(
      json(401, { "control:Auth-Type": "Accept", "Reply-Message": "no", Class: "x" }),
    );
    const rig = new ModuleRig();
    const instances = [{ module: "rest", name: "backend", settings: { url: backEnd.origin, authorize: CHECK } }];
    const authorize = [{ kind: "call", instance: "backend", on: { reject: 1 } } as const, call("goes-on")];
    await rig.use([moduleOf("goes-on", { authorize: () => "ok" })], { authorize }, { instances });
    expect(await rig.ask(login("bob", "secret"))).toMatchObject(reject);
  });

  it("a back end that is not asked: no password to ask about, and the hub's own heartbeat", async () => {
    const backEnd = await HttpBackEnd.start(json(200, { "control:Auth-Type": "Accept" }));
    const { rig } = await rigOf({ url: backEnd.origin, authorize: CHECK });
    expect(await rig.ask([textAttribute(1, "bob")])).toMatchObject(reject);
    const heartbeat = { ...contextOf(login("bob", "secret")), heartbeat: true as const };
    expect(await rig.pipeline.answer(heartbeat)).toMatchObject(reject);
    expect(backEnd.seen).toEqual([]);
  });
});

describe("rest, its time", () => {
  it("ends before that of the pipeline, so that whenDown decides", async () => {
    const backEnd = await HttpBackEnd.start(() => undefined);
    const { rig } = await rigOf({ url: backEnd.origin, timeout: "30s", whenDown: "silent", authorize: CHECK });
    const answer = rig.ask(login("bob", "secret"));
    await vi.waitUntil(() => backEnd.seen.length === 1);
    rig.clock.advance(999);
    expect(await answer).toMatchObject({ kind: "discard", reason: "handled" });
    expect(rig.faults()).toEqual([]);
  });
});

describe("rest, accounting and reloads", () => {
  const RECORD = [textAttribute(32, "nas-07"), textAttribute(44, "s1"), textAttribute(1, "bob")];
  const ACCOUNTING = { uri: "/a", body: "json", data: { s: "%{Acct-Session-Id}" } };

  it.each([
    [201, {}, { kind: "reply", code: CODE.accountingResponse }],
    [204, {}, { kind: "reply", code: CODE.accountingResponse }],
    [500, {}, { kind: "discard" }],
    [403, {}, { kind: "discard" }],
    // As if there were no accounting at all: over TLS the router hears so (RFC 7930 Section 4).
    [500, { whenDown: "ignore" }, { kind: "reply", code: CODE.protocolError }],
  ])("a record that gets %i %j is answered with %j", async (status, more, reply) => {
    const backEnd = await HttpBackEnd.start(empty(status));
    const settings = { url: backEnd.origin, accounting: { ...ACCOUNTING, ...more } };
    const { rig } = await rigOf(settings, {}, ["accounting"]);
    expect(await rig.ask(RECORD, CODE.accountingRequest)).toMatchObject(reply);
    expect(backEnd.bodies).toEqual([{ s: "s1" }]);
  });

  it("a record is stored by a 200, whatever page comes with it", async () => {
    const page = "<html>".repeat(1_000);
    const backEnd = await HttpBackEnd.start(
      (_, response) => void response.writeHead(200, { "Content-Type": "text/html" }).end(page),
    );
    const settings = { url: backEnd.origin, accounting: ACCOUNTING, answerBytes: 64 };
    const { rig } = await rigOf(settings, {}, ["accounting"]);
    expect(await rig.ask(RECORD, CODE.accountingRequest)).toMatchObject({ code: CODE.accountingResponse });
  });

  it.each([
    ["is not sent twice by itself, for nobody knows whether it was stored", {}, 1, { kind: "discard" }],
    ["is sent again where the settings say that twice does no harm", { idempotent: true }, 2, { kind: "reply" }],
  ])("a record whose connection broke %s", async (_, more, times, reply) => {
    const backEnd = await HttpBackEnd.start((__, response) => {
      backEnd.answer = empty(201);
      response.destroy();
    });
    const settings = { url: backEnd.origin, accounting: { ...ACCOUNTING, ...more }, breaker: { failures: 0 } };
    const { rig } = await rigOf(settings, {}, ["accounting"]);
    const asked = rig.ask(RECORD, CODE.accountingRequest);
    await vi.waitUntil(() => backEnd.seen.length === 1);
    // The pause before a second attempt.
    await vi.waitUntil(
      () => rig.clock.advance(10) ?? (backEnd.seen.length === times || rig.backEnds.figures()[0]?.running === 0),
    );
    expect(await asked).toMatchObject(reply);
    expect(backEnd.seen.length).toBe(times);
  });

  it.each([
    ["at once", 0],
    ["after a while", 100],
  ])("a login that nobody waits for any more, %s, gives its turn to the next", async (_, afterMs) => {
    const backEnd = await HttpBackEnd.start(() => undefined);
    const settings = { url: backEnd.origin, authorize: CHECK, connections: 1, breaker: { failures: 1 } };
    const { rig } = await rigOf(settings);
    const context = contextOf(login("bob", "secret"), CODE.accessRequest);
    const gone = rig.pipeline.answer(context);
    await vi.waitUntil(() => backEnd.seen.length === 1);
    rig.clock.advance(afterMs);
    context.controller.abort();
    const second = contextOf(login("carol", "secret"), CODE.accessRequest);
    const next = rig.pipeline.answer(second);
    backEnd.answer = json(200, { "control:Auth-Type": "Accept" });
    rig.clock.advance(100 - afterMs);
    expect(await next).toMatchObject({ code: CODE.accessAccept });
    await gone;
    // It says nothing of the back end either: the breaker, which one failure opens, is closed.
    expect(rig.backEnds.figures()).toMatchObject([
      { results: { gone: 1, answered: 1 }, breaker: "closed", running: 0 },
    ]);
  });

  it("a record of which the router has gone is stored all the same", async () => {
    const release = Promise.withResolvers<void>();
    const backEnd = await HttpBackEnd.start(async (seen, response) => {
      await release.promise;
      await empty(201)(seen, response);
    });
    const { rig } = await rigOf({ url: backEnd.origin, accounting: ACCOUNTING }, {}, ["accounting"]);
    const context = contextOf(RECORD, CODE.accountingRequest);
    const answer = rig.pipeline.answer(context);
    await vi.waitUntil(() => backEnd.seen.length === 1);
    context.controller.abort();
    release.resolve();
    expect(await answer).toMatchObject({ code: CODE.accountingResponse });
  });

  it("a reload lets records that were to be sent after the answer be sent", async () => {
    const release = Promise.withResolvers<void>();
    const backEnd = await HttpBackEnd.start(async (seen, response) => {
      await release.promise;
      await empty(201)(seen, response);
    });
    const accounting = { ...ACCOUNTING, wait: false };
    const { rig, use } = await rigOf({ url: backEnd.origin, connections: 1, accounting }, {}, ["accounting"]);
    const contexts = [contextOf(RECORD, CODE.accountingRequest), contextOf(RECORD, CODE.accountingRequest)];
    for (const context of contexts) await rig.pipeline.answer(context);
    expect(backEnd.seen).toEqual([]);
    for (const { after } of contexts) for (const action of after) action();
    await vi.waitUntil(() => backEnd.seen.length === 1);
    await use({ retries: 0 });
    // The old instance is being taken down: it began to close in the turn of the event loop after its last packet.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    release.resolve();
    await rig.pipeline.stop();
    expect(backEnd.bodies).toEqual([{ s: "s1" }, { s: "s1" }]);
  });

  it("a reload lets what is under way end on the old connections, and shows the new instance alone", async () => {
    const release = Promise.withResolvers<void>();
    const backEnd = await HttpBackEnd.start(async (seen, response) => {
      await release.promise;
      await json(200, { "control:Auth-Type": "Accept" })(seen, response);
    });
    const { rig, use } = await rigOf({ url: backEnd.origin, authorize: CHECK });
    const early = rig.ask(login("bob", "secret"));
    await vi.waitUntil(() => backEnd.seen.length === 1);
    expect(rig.backEnds.figures()).toMatchObject([{ instance: "backend", running: 1 }]);
    await use({ retries: 0 });
    expect(rig.backEnds.figures()).toMatchObject([{ instance: "backend", running: 0 }]);
    release.resolve();
    expect(await early).toMatchObject({ code: CODE.accessAccept });
    await rig.pipeline.stop();
    expect(rig.backEnds.figures()).toEqual([]);
  });
});
