import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Dynauth } from "../../../src/dynauth/dynauth.ts";
import { ProxyMark } from "../../../src/dynauth/trigger-attributes.ts";
import { EventFeed } from "../../../src/events.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const REQUEST = { code: CODE.disconnectRequest, target: {}, attributes: [], trigger: "test", proxied: true };

/** Nobody is ever found. */
function start(lookUp?: Promise<void>) {
  const none = { kind: "no-route", why: "unknown", nas: undefined } as const;
  const told: string[] = [];
  const dynauth = new Dynauth(
    {
      clock: new ManualClock(),
      events: new EventFeed(() => undefined),
      resolver: { resolve: () => lookUp?.then(() => none) ?? none },
      nextExchangeId: () => "x",
      mark: new ProxyMark(Buffer.alloc(12)),
      ended: ({ exchangeId }) => void told.push(exchangeId),
    },
    { timeoutMs: 1, timeoutUdpMs: 1, timeoutMaxMs: 1, exchangesMax: 1 },
  );
  return { dynauth, told };
}

describe("ExchangeReports", () => {
  it("tells of an exchange once, after whoever waits for it", async () => {
    const { dynauth, told } = start();
    await dynauth.exchange(REQUEST);
    expect(told).toEqual([]);
    await setImmediate();
    expect(told).toEqual(["x"]);
    await dynauth.exchange(REQUEST);
    await setImmediate();
    expect(told).toEqual(["x", "x"]);
  });

  it("has told of every one when stop() resolves", async () => {
    const { dynauth, told } = start();
    await dynauth.exchange(REQUEST);
    await dynauth.stop();
    expect(told).toEqual(["x"]);
  });

  it("begins nothing whose look-up ends after stop()", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { dynauth, told } = start(promise);
    const late = dynauth.exchange(REQUEST);
    await dynauth.stop();
    resolve();
    await expect(late).rejects.toMatchObject({ code: "ERR_STOPPED" });
    expect(told).toEqual([]);
  });
});
