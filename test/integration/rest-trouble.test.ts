import { setTimeout as passed } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { AaaHub } from "../support/aaa-hub.ts";
import { type Answering, empty, HttpBackEnd, json } from "../support/http-back-end.ts";

const ACCEPT = json(200, { "control:Auth-Type": "Accept", "Reply-Message": "backend" });
const SPARE = json(200, { "control:Auth-Type": "Accept", "Reply-Message": "spare" });
/** It takes the request and says nothing. */
const SILENCE: Answering = () => undefined;

const login = (name = "bob", password = "secret") => [`User-Name = "${name}"`, `User-Password = "${password}"`];
const CALL = "authorize: { uri: /authorize, body: json";

interface Rig {
  readonly backEnd: HttpBackEnd;
  readonly spare: HttpBackEnd;
  readonly hub: AaaHub;
  /** Who let the user in: "backend", "spare"; else the code of the reply. */
  readonly ask: (name?: string, password?: string) => Promise<string | undefined>;
  /** A figure of the instance `backend`. */
  readonly metric: (name: string, more?: string) => Promise<number>;
}

/** A hub whose back end may fail, with another one behind it. @param settings of the first one @param call of its authorize */
async function rig(answer: Answering, settings = "", call = "", timeout = "300ms"): Promise<Rig> {
  const backEnd = await HttpBackEnd.start(answer);
  const spare = await HttpBackEnd.start(SPARE);
  const hub = await AaaHub.start({
    yaml: `
modules:
  callTimeout: 3s
  instances:
    - { module: rest, name: backend, settings: { url: "${backEnd.origin}", timeout: ${timeout}, ${settings} ${CALL}${call} } } }
    - { module: rest, name: spare, settings: { url: "${spare.origin}", ${CALL} } } }
  sections: { authorize: [{ redundant: [backend, spare] }], postauth: [], accounting: [sessions] }`,
  });
  return {
    backEnd,
    spare,
    hub,
    async ask(name, password) {
      const { reply, output } = await hub.auth(...login(name, password));
      return /Reply-Message = "(\w+)"/.exec(output)?.[1] ?? reply;
    },
    async metric(name, more = "") {
      const text = await (await fetch(`${hub.running.api}/metrics`)).text();
      const line = new RegExp(`^radsec_hub_back_end_${name}\\{module="backend"${more}\\} (\\S+)$`, "m").exec(text);
      return Number(line?.[1]);
    },
  };
}

const result = (name: string) => `,result="${name}"`;

describe("rest, a back end in trouble", () => {
  const cut: Answering = (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json", "Content-Length": "100" });
    response.write('{"control:Auth-Type":', () => response.destroy());
  };
  const endless: Answering = (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    const more = (): void => {
      while (!response.destroyed && response.write("x".repeat(16_384)));
    };
    response.on("drain", more);
    more();
  };
  const trickle: Answering = async (_, response) => {
    response.writeHead(200, { "Content-Type": "application/json" });
    for (let n = 0; n < 50 && !response.destroyed; n += 1) {
      response.write(" ");
      await passed(50);
    }
  };

  it.each([
    ["says nothing", SILENCE, "timeout"],
    ["says a little now and then", trickle, "timeout"],
    [
      "sends its headers and no more",
      (_: unknown, response: Parameters<Answering>[1]) =>
        response.writeHead(200, { "Content-Type": "application/json" }).flushHeaders(),
      "timeout",
    ],
    ["answers 500", empty(500), "server-error"],
    [
      "answers with a page",
      (_: unknown, response: Parameters<Answering>[1]) =>
        void response.writeHead(200, { "Content-Type": "text/html" }).end("<html>"),
      "unreadable",
    ],
    [
      "answers with half of its JSON",
      (_: unknown, response: Parameters<Answering>[1]) =>
        void response.writeHead(200, { "Content-Type": "application/json" }).end('{"contr'),
      "unreadable",
    ],
    [
      "answers with a value that can not be",
      json(200, { "control:Auth-Type": "Accept", "Session-Timeout": "soon" }),
      "unreadable",
    ],
    ["ends in the middle", cut, "reset"],
    ["does not end", endless, "too-big"],
  ] as const)("that %s is left for the next", async (_, answer, how) => {
    const { ask, backEnd, metric } = await rig(answer);
    expect(await ask()).toBe("spare");
    expect(await metric("requests_total", result(how))).toBe(1);
    expect(backEnd.seen.length).toBe(1);
    backEnd.answer = ACCEPT;
    expect(await ask()).toBe("backend");
  });

  it("that is not there is left for the next, and taken again when it is back", async () => {
    const { ask, backEnd, metric } = await rig(ACCEPT);
    expect(await ask()).toBe("backend");
    await backEnd.down();
    expect(await ask()).toBe("spare");
    expect(await metric("requests_total", result("unreachable"))).toBe(1);
    await backEnd.up();
    expect(await ask()).toBe("backend");
  });

  it("that says no is not left for the next", async () => {
    const { ask, spare } = await rig(empty(401));
    expect(await ask()).toBe("Access-Reject");
    expect(spare.seen).toEqual([]);
  });

  it("is not followed to another address", async () => {
    const elsewhere = await HttpBackEnd.start(SPARE);
    const { ask, spare } = await rig(
      (_, response) => void response.writeHead(307, { Location: elsewhere.origin }).end(),
    );
    expect(await ask()).toBe("Access-Reject"); // invalid, as every status without a meaning
    expect([elsewhere.seen, spare.seen]).toEqual([[], []]);
  });
});

describe("rest, the circuit breaker", () => {
  it("leaves a back end alone that fails, tries it after a while, and takes it again", async () => {
    const { ask, backEnd, metric } = await rig(empty(503), "breaker: { failures: 2, openFor: 400ms },");
    expect([await ask(), await ask()]).toEqual(["spare", "spare"]);
    expect(await metric("breaker_open")).toBe(1);
    expect(await ask()).toBe("spare");
    expect([backEnd.seen.length, await metric("requests_total", result("breaker-open"))]).toEqual([2, 1]);
    backEnd.answer = ACCEPT;
    await expect.poll(() => ask(), { timeout: 10_000 }).toBe("backend");
    expect([backEnd.seen.length, await metric("breaker_open")]).toEqual([3, 0]);
  });
});

describe("rest, whenDown", () => {
  it.each([
    ["reject", "Access-Reject"],
    ["ignore", "Access-Reject"], // nobody else knows the user
    ["fail", "spare"],
  ])("%s: %s", async (whenDown, outcome) => {
    const { ask } = await rig(empty(500), `whenDown: ${whenDown},`);
    expect(await ask()).toBe(outcome);
  });

  it("silent: the router asks another server", async () => {
    const { hub, spare } = await rig(empty(500), "", ", whenDown: silent");
    const dropped = hub.running.event("packet.dropped");
    void hub.auth(...login());
    expect(await dropped).toMatchObject({ reason: "handler-discard" });
    expect(spare.seen).toEqual([]);
  });

  it("last-known: the same answer to the same question, for nobody else", async () => {
    const { ask, backEnd, metric } = await rig(ACCEPT, "whenDown: last-known,");
    expect(await ask("bob", "secret")).toBe("backend");
    backEnd.answer = empty(401);
    expect(await ask("carol", "secret")).toBe("Access-Reject");
    await backEnd.down();
    expect(await ask("bob", "secret")).toBe("backend");
    expect(await ask("carol", "secret")).toBe("Access-Reject");
    expect(await metric("last_known_total")).toBe(2);
    expect(await ask("bob", "wrong")).toBe("spare");
  });
});

describe("rest, what it asks how often", () => {
  it("asks again where that does no harm, and not where it may", async () => {
    const first = (answer: Answering, ...then: Answering[]): Answering => {
      const answers = [answer, ...then];
      return (seen, response) => (answers.shift() ?? answer)(seen, response);
    };
    const safe = await rig(first(empty(503), ACCEPT), "", ", idempotent: true");
    expect([await safe.ask(), safe.backEnd.seen.length, await safe.metric("retries_total")]).toEqual(["backend", 2, 1]);
    const unsafe = await rig(first(empty(503), ACCEPT));
    expect([await unsafe.ask(), unsafe.backEnd.seen.length, await unsafe.metric("retries_total")]).toEqual([
      "spare",
      1,
      0,
    ]);
    // What never left can be sent again in any case.
    await unsafe.backEnd.down();
    expect([await unsafe.ask(), await unsafe.metric("retries_total")]).toEqual(["spare", 1]);
  });

  it("keeps its connections", async () => {
    const { ask, backEnd } = await rig(ACCEPT);
    for (let n = 0; n < 4; n += 1) expect(await ask()).toBe("backend");
    expect(new Set(backEnd.seen.map(({ from }) => from)).size).toBe(1);
  });

  it("asks so much at once, lets so much wait, and takes the next back end for the rest", async () => {
    const release = Promise.withResolvers<void>();
    const gated: Answering = async (seen, response) => {
      await release.promise;
      await ACCEPT(seen, response);
    };
    const { ask, backEnd, metric } = await rig(gated, "connections: 1, waiting: 1,", "", "3s");
    const first = ask("a");
    await expect.poll(() => backEnd.seen.length).toBe(1);
    const second = ask("b");
    await expect.poll(() => metric("requests_waiting")).toBe(1);
    expect(await ask("c")).toBe("spare");
    expect(await metric("requests_total", result("queue-full"))).toBe(1);
    release.resolve();
    expect([await first, await second]).toEqual(["backend", "backend"]);
  });

  it("asks once within the time of its cache, and for each password", async () => {
    const { ask, backEnd, metric } = await rig(ACCEPT, "cache: { ttl: 1h },");
    expect([await ask(), await ask(), backEnd.seen.length]).toEqual(["backend", "backend", 1]);
    expect(await ask("bob", "other")).toBe("backend");
    expect([backEnd.seen.length, await metric("from_memory_total"), await metric("answers_remembered")]).toEqual([
      2, 1, 2,
    ]);
  });
});

describe("rest, beside accounting", () => {
  it("holds up no record while every question waits for a back end that says nothing", async () => {
    const { ask, hub, backEnd, metric } = await rig(SILENCE, "connections: 2,", "", "2s");
    const logins = ["a", "b", "c", "d"].map((name) => ask(name));
    await expect.poll(() => backEnd.seen.length).toBe(2);
    const record = [
      "Acct-Status-Type = Start",
      'Acct-Session-Id = "s1"',
      'User-Name = "bob"',
      'NAS-Identifier = "nas-07"',
    ];
    expect((await hub.acct(...record)).reply).toBe("Accounting-Response");
    expect(await metric("requests_in_flight")).toBe(2);
    expect(await Promise.all(logins)).toEqual(["spare", "spare", "spare", "spare"]);
  });
});
