import { createConnection, type Socket } from "node:net";
import { Pool } from "undici";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { attempt } from "../../src/aaa/modules/rest/attempt.ts";
import { Patience } from "../../src/aaa/modules/rest/patience.ts";
import { type Answering, empty, HttpBackEnd, json } from "../support/http-back-end.ts";

const QUESTION = { method: "POST", path: "/check", headers: { "content-type": "application/json" }, body: "{}" };
const ALL = () => true;

/** A back end and one connection to it. @param connect instead of what the pool does by itself */
async function rig(answer: Answering, connect?: (done: (error: Error | null, socket: Socket | null) => void) => void) {
  const backEnd = await HttpBackEnd.start(answer);
  const options = { connections: 1, maxResponseSize: 1_000_000 };
  const own = connect && { connect: ((_: unknown, done: never) => connect(done)) as never };
  const pool = new Pool(backEnd.origin, { ...options, ...own });
  onTestFinished(() => pool.destroy());
  const patience = new Patience();
  return { backEnd, pool, patience, port: Number(new URL(backEnd.origin).port) };
}

describe("attempt()", () => {
  it("joins what comes in pieces, and takes what is said before the answer for nothing", async () => {
    const { pool, patience } = await rig(async (_, response) => {
      response.writeProcessing();
      response.writeHead(200, { "Content-Type": "application/json" });
      for (const piece of ['{"a"', ":", "1}"]) {
        await new Promise((resolve) => response.write(piece, resolve));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.end();
    });
    const answer = await attempt(pool, QUESTION, ALL, patience);
    expect(answer).toMatchObject({ kind: "answer", status: 200, contentType: "application/json" });
    expect(String("body" in answer && answer.body)).toBe('{"a":1}');
  });

  it.each([
    { why: "timeout", what: "that hangs after its headers" },
    { why: "gone", what: "of which nobody wants to hear any more" },
  ] as const)("is over with $why, and its connection too, for a back end $what", async ({ why }) => {
    const { backEnd, pool, patience } = await rig((_, response) => {
      response.writeHead(200, { "Content-Type": "application/json" }).write("{");
    });
    const asked = attempt(pool, QUESTION, ALL, patience);
    await vi.waitUntil(() => backEnd.seen.length === 1);
    patience.end(why);
    expect(await asked).toEqual({ kind: "down", why, sent: true, code: "" });
    backEnd.answer = empty(204);
    expect(await attempt(pool, QUESTION, ALL, new Patience())).toMatchObject({ kind: "answer", status: 204 });
    expect(new Set(backEnd.seen.map(({ from }) => from)).size).toBe(2);
  });

  it("is not answered by what is said before an answer", async () => {
    const { pool, patience } = await rig((_, response) => {
      response.writeProcessing(() => response.destroy());
    });
    const asked = attempt(pool, QUESTION, (status) => status >= 200, patience);
    expect(await asked).toMatchObject({ kind: "down", why: "reset" });
  });

  const hangs: Answering = (_, response) => void response.writeHead(404).write("x");
  const breaksOff: Answering = (_, response) => {
    response.writeHead(404, { "Content-Length": "9" }).write("x", () => response.destroy());
  };
  const long: Answering = (_, response) => void response.writeHead(404).end("x".repeat(500_000));

  it.each([
    { what: "does not end", answer: hangs },
    { what: "breaks off", answer: breaksOff },
    { what: "is long", answer: long },
  ])("has its answer where the body that nobody needs $what", async ({ what, answer }) => {
    const { backEnd, pool, patience } = await rig(answer);
    const dropped = (): boolean => {
      // Its headers are there. Only this one is waited for until the time is over.
      if (what === "does not end") setImmediate(() => patience.end("timeout"));
      return false;
    };
    const asked = attempt(pool, QUESTION, dropped, patience);
    expect(await asked).toMatchObject({ kind: "answer", status: 404, body: Buffer.alloc(0) });
    backEnd.answer = json(200, {});
    expect(await attempt(pool, QUESTION, ALL, new Patience())).toMatchObject({ status: 200 });
  });

  it("is over while there is no connection yet, and is then not sent any more", async () => {
    const connection = Promise.withResolvers<void>();
    const made = await rig(empty(204), (done) => {
      void connection.promise.then(() => {
        const socket = createConnection(made.port, "127.0.0.1", () => done(null, socket));
      });
    });
    const { backEnd, pool, patience } = made;
    const asked = attempt(pool, QUESTION, ALL, patience);
    patience.end("timeout");
    expect(await asked).toMatchObject({ kind: "down", why: "timeout" });
    connection.resolve();
    expect(await attempt(pool, { ...QUESTION, path: "/next" }, ALL, new Patience())).toMatchObject({ status: 204 });
    expect(backEnd.seen.map(({ url }) => url)).toEqual(["/next"]);
  });
});
