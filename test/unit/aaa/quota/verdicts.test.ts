import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { VerdictOptions } from "../../../../src/aaa/quota/options.ts";
import { Verdicts } from "../../../../src/aaa/quota/verdicts.ts";
import { systemClock } from "../../../../src/clock.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { asked, QuotaRig, quotaOptions, quotaRule } from "../../../support/quota-rig.ts";

const QUESTION = { username: "bob", rule: "daily", periodKey: "total", used: 900, amount: 1_000, percent: 90 };

type Answer = (response: ServerResponse, body: Record<string, unknown>, request: IncomingMessage) => void;

async function endpoint(answer: Answer) {
  const bodies: Record<string, unknown>[] = [];
  const state = { answer };
  const server = createServer((request, response) => void hear(request, response));
  const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    bodies.push(JSON.parse(text) as Record<string, unknown>);
    state.answer(response, bodies.at(-1) as Record<string, unknown>, request);
  };
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/quota`;
  return { url, bodies, state };
}

function options(url: string, changes: Partial<VerdictOptions> = {}): VerdictOptions {
  return { url, authorization: "Bearer secret", timeoutMs: 2_000, keepMs: 60_000, whenDown: "act", ...changes };
}

const json =
  (value: unknown): Answer =>
  (response) =>
    void response.end(JSON.stringify(value));

describe("Verdicts.percent()", () => {
  it.each([
    { answer: { percent: 42 }, percent: 42 },
    { answer: { verdict: "allow" }, percent: 0 },
    { answer: { verdict: "act" }, percent: 90 },
  ])("is what the endpoint says: $answer", async ({ answer, percent }) => {
    const { url, bodies } = await endpoint(json(answer));
    expect(await new Verdicts(systemClock).percent(options(url), QUESTION)).toBe(percent);
    const { periodKey, ...rest } = QUESTION;
    expect(bodies).toEqual([{ ...rest, period: periodKey }]);
  });

  it("is remembered for keepMs", async () => {
    const clock = new ManualClock();
    const { url, bodies } = await endpoint(json({ percent: 42 }));
    const verdicts = new Verdicts(clock);
    for (const ms of [0, 59_999, 1]) {
      clock.advance(ms);
      await verdicts.percent(options(url), QUESTION);
    }
    expect(bodies).toHaveLength(2);
  });

  const down: readonly { name: string; answer: Answer }[] = [
    { name: "HTTP 500", answer: (response) => void response.writeHead(500).end() },
    { name: "a redirect", answer: (response) => void response.writeHead(302, { Location: "/other" }).end() },
    { name: "something that is no verdict", answer: json({ verdict: "perhaps" }) },
    { name: "no JSON", answer: (response) => void response.end("<html>") },
    { name: "an endless answer", answer: (response) => void response.end("x".repeat(100_000)) },
    { name: "a cut connection", answer: (response) => void response.destroy() },
    { name: "silence", answer: () => undefined },
  ];
  it.each(down)("counts $name as down: the hub's own count acts, or nothing does", async ({ answer }) => {
    const { url } = await endpoint(answer);
    const act = await new Verdicts(systemClock).percent(options(url, { timeoutMs: 200 }), QUESTION);
    const allow = await new Verdicts(systemClock).percent(
      options(url, { timeoutMs: 200, whenDown: "allow" }),
      QUESTION,
    );
    expect([act, allow]).toEqual([90, 0]);
  });

  it("last-known: goes on with what was said of this user last, and allows one of whom nothing was said", async () => {
    const clock = new ManualClock();
    const { url, state } = await endpoint(json({ percent: 85 }));
    const verdicts = new Verdicts(clock);
    const asking = options(url, { whenDown: "last-known" });
    expect(await verdicts.percent(asking, QUESTION)).toBe(85);
    state.answer = (response) => void response.destroy();
    clock.advance(60_000);
    expect(await verdicts.percent(asking, QUESTION)).toBe(85);
    expect(await verdicts.percent(asking, { ...QUESTION, username: "eve" })).toBe(0);
  });

  it("leaves an endpoint that is down alone for 5 s: a silent one does not hold up every user in turn", async () => {
    const clock = new ManualClock();
    const { url, state, bodies } = await endpoint((response) => void response.destroy());
    const verdicts = new Verdicts(clock);
    for (const username of ["a", "b", "c"]) await verdicts.percent(options(url), { ...QUESTION, username });
    expect([bodies.length, verdicts.isDown(url), verdicts.unanswered]).toEqual([1, true, 1]);
    clock.advance(5_000);
    state.answer = json({ percent: 1 });
    expect(await verdicts.percent(options(url), QUESTION)).toBe(1);
  });
});

describe("Quota with a verdict", () => {
  it("acts by the operator's percentage where the hub counts less, and says no amount of its own", async () => {
    const { url, bodies } = await endpoint(json({ percent: 101 }));
    const rule = quotaRule({ amount: undefined, verdict: options(url) });
    const rig = await QuotaRig.start(quotaOptions({ rules: [rule] }));
    const router = rig.router("r1");
    await rig.account("start", "bob", router);
    await rig.settled();
    expect(asked(router)).toEqual(["Disconnect bob"]);
    expect(bodies[0]).toMatchObject({ username: "bob", rule: "daily", period: "day/2026-11-22", used: 0 });
  });
});
