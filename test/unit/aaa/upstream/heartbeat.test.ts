import { describe, expect, it, vi } from "vitest";
import { Heartbeat } from "../../../../src/aaa/upstream/heartbeat.ts";
import { answerUnserved } from "../../../../src/aaa/unserved.ts";
import { systemRandom } from "../../../../src/clock.ts";
import { EventFeed } from "../../../../src/events.ts";
import { ATTRIBUTE, firstValue } from "../../../../src/radius/attribute.ts";
import { verifyRequest } from "../../../../src/radius/authenticator.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { revealUserPassword } from "../../../../src/radius/hidden.ts";
import type { Reply, RequestContext, RequestHandler } from "../../../../src/transport/link.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** A heartbeat of a minute, whose pipeline a test scripts. */
function beating(handler: RequestHandler) {
  const clock = new ManualClock();
  const told: string[] = [];
  const contexts: RequestContext[] = [];
  const pipeline = { handler };
  let probes = 0;
  const events = new EventFeed((error) => expect(error).toBeUndefined());
  events.subscribe((event) => {
    if (event.type === "heartbeat.failed" || event.type === "heartbeat.recovered") {
      told.push(`${event.type}: ${event.detail}`);
    }
  });
  const heartbeat = new Heartbeat(
    {
      clock,
      random: systemRandom,
      events,
      handler: (context) => {
        contexts.push(context);
        return pipeline.handler(context);
      },
      probeUpstreams: () => (probes += 1),
      nasIdentifier: "hub-1",
    },
    { enabled: true, intervalMs: 60_000, timeoutMs: 5_000, userName: "heartbeat", password: "secret" },
  );
  heartbeat.start();
  /** One interval, and whatever the answer makes of it. */
  const beat = async () => {
    clock.advance(60_000 - (clock.now() % 60_000));
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const late = async () => {
    clock.advance(5_000);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  return { clock, told, contexts, pipeline, heartbeat, beat, late, probes: () => probes };
}

const reply = (code: number): Reply => ({ kind: "reply", code, attributes: [] });

describe("Heartbeat (seeds/000)", () => {
  it("asks once a minute through the whole pipeline, with a request that is authentic and marked", async () => {
    const { contexts, beat, probes } = beating(answerUnserved);
    await beat();
    await beat();
    expect([contexts.length, probes()]).toEqual([2, 2]);
    const { packet, link, heartbeat } = contexts[0] as RequestContext;
    expect(heartbeat).toBe(true);
    expect([packet.code, link.listener]).toEqual([CODE.accessRequest, "heartbeat"]);
    expect(verifyRequest(packet, link.client.secret)).toBe("ok");
    expect(packet.messageAuthenticatorOffset).toBeGreaterThan(0);
    const hidden = firstValue(packet.attributes, ATTRIBUTE.userPassword) as Buffer;
    expect(revealUserPassword(hidden, link.client.secret, packet.authenticator)?.toString()).toBe("secret");
    expect(firstValue(packet.attributes, ATTRIBUTE.nasIdentifier)?.toString()).toBe("hub-1");
  });

  it.each([CODE.accessAccept, CODE.accessReject, CODE.accessChallenge])("code %i means alive", async (code) => {
    const { told, heartbeat, beat } = beating(() => reply(code));
    await beat();
    expect({ told, check: heartbeat.check() }).toEqual({ told: [], check: { ok: true, detail: "1 answered" } });
  });

  it.each([
    ["silence", () => new Promise<Reply>(() => undefined), "no answer within 5 s"],
    ["a discard", () => ({ kind: "discard", reason: "no-upstream" }) as const, "discarded: no-upstream"],
    ["Protocol-Error", () => reply(CODE.protocolError), "answered with Protocol-Error"],
    ["a fault", () => Promise.reject(new Error("out of order")), "out of order"],
  ])("%s is told once, and so is the recovery", async (_, handler, detail) => {
    const { told, pipeline, heartbeat, beat, late } = beating(handler);
    for (let each = 0; each < 3; each += 1) {
      await beat();
      await late();
    }
    expect(told).toEqual([`heartbeat.failed: ${detail}`]);
    expect(heartbeat.check()).toEqual({ ok: false, detail });
    pipeline.handler = answerUnserved;
    await beat();
    await beat();
    expect(told).toEqual([`heartbeat.failed: ${detail}`, "heartbeat.recovered: answered"]);
    expect(heartbeat.check().ok).toBe(true);
  });

  it("ends a request that nobody answers, so that no upstream is asked for it any more", async () => {
    const { contexts, beat, late } = beating(() => new Promise<Reply>(() => undefined));
    await beat();
    expect(contexts[0]?.signal.aborted).toBe(false);
    await late();
    expect(contexts[0]?.signal.aborted).toBe(true);
  });

  it("what was wrong before it was switched off is no fault any more", async () => {
    const { told, pipeline, heartbeat, beat } = beating(() => ({ kind: "discard", reason: "no-upstream" }));
    await beat();
    expect(heartbeat.check().ok).toBe(false);
    const options = { enabled: false, intervalMs: 60_000, timeoutMs: 5_000, userName: "u", password: "p" };
    heartbeat.apply(options);
    expect(heartbeat.check().ok).toBe(true);
    pipeline.handler = answerUnserved;
    heartbeat.apply({ ...options, enabled: true });
    await beat();
    expect(told).toEqual(["heartbeat.failed: discarded: no-upstream"]); // nobody has to hear of a recovery
  });

  it("switched off while it waits it finds nothing wrong, and tells nothing", async () => {
    const { told, heartbeat, beat, late } = beating(() => new Promise<Reply>(() => undefined));
    await beat();
    heartbeat.apply({ enabled: false, intervalMs: 60_000, timeoutMs: 5_000, userName: "u", password: "p" });
    await late();
    expect({ told, ok: heartbeat.check().ok }).toEqual({ told: [], ok: true });
  });

  it("stop() leaves no timer and tells nothing; apply() turns it off and on", async () => {
    const { clock, told, contexts, heartbeat, beat } = beating(() => new Promise<Reply>(() => undefined));
    const options = { enabled: false, intervalMs: 60_000, timeoutMs: 5_000, userName: "u", password: "p" };
    heartbeat.apply(options);
    await beat();
    expect(contexts).toEqual([]);
    heartbeat.apply({ ...options, enabled: true });
    await beat();
    expect(contexts).toHaveLength(1);
    heartbeat.stop();
    await vi.waitFor(() => expect(clock.waiting).toBe(0));
    await beat();
    expect({ told, waiting: clock.waiting, asked: contexts.length }).toEqual({ told: [], waiting: 0, asked: 1 });
  });
});
