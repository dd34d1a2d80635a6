import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { ModuleServices, QuotaServices } from "../../../../src/aaa/pipeline/types.ts";
import type { Standing } from "../../../../src/aaa/quota/rules.ts";
import type { ExchangeRequest } from "../../../../src/dynauth/exchange-request.ts";
import type { Outcome } from "../../../../src/dynauth/outcome.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import type { AcctSession } from "../../../../src/store/acct-session.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";
import { standing } from "../../../support/quota-standing.ts";

const accept = moduleOf("accept", {
  authorize({ control }) {
    control.authType = "Accept";
    return "updated";
  },
});
const USER = textAttribute(1, "nemo");
const NAS = textAttribute(32, "nas-07");

describe("attr-filter", () => {
  const generous = moduleOf("generous", {
    postauth({ reply }) {
      reply.add("Class", "0x01");
      reply.add("Filter-Id", "a");
      reply.add("Filter-Id", "b");
      reply.add("Session-Timeout", 60);
      reply.add("Mikrotik-Rate-Limit", "1M/1M");
      return "updated";
    },
  });
  const types = async (settings: object) => {
    const rig = new ModuleRig();
    const instances = [{ name: "filter", module: "attr-filter", settings }];
    const sections = { authorize: [callOf("accept")], postauth: [callOf("generous"), callOf("filter")] };
    await rig.use([accept, generous], sections, { instances });
    const reply = await rig.ask();
    return reply.kind === "reply" ? reply.attributes.map(({ type }) => type) : [];
  };

  it.each([
    { settings: {}, left: [25, 11, 11, 27, 26] },
    { settings: { remove: ["Filter-Id", "Mikrotik-Rate-Limit"] }, left: [25, 27] },
    { settings: { keep: ["Class", "Session-Timeout"] }, left: [25, 27] },
    { settings: { keep: ["Mikrotik-Rate-Limit"], set: { "Session-Timeout": 30 } }, left: [26, 27] },
    { settings: { set: { "Filter-Id": "c" } }, left: [25, 27, 26, 11] },
  ])("$settings leaves $left", async ({ settings, left }) => {
    expect(await types(settings)).toEqual(left);
  });
});

describe("quota", () => {
  const ask = async (standings: readonly Standing[]) => {
    const quota: QuotaServices = {
      hasRules: true,
      standingsOn: async (username, nas) => (username === "nemo" && nas === "nas-07" ? standings : []),
      throttle: () => [textAttribute(11, "slow")],
    };
    const rig = new ModuleRig({ quota });
    const seen: (number | undefined)[] = [];
    const fast = moduleOf("fast", {
      postauth({ control, reply }) {
        seen.push(control.secondsLeft);
        reply.add("Filter-Id", "fast");
        return "updated";
      },
    });
    const sections = {
      authorize: [callOf("accept"), callOf("quota")],
      postauth: [callOf("fast"), callOf("quota")],
    };
    await rig.use([accept, fast], sections);
    return { reply: await rig.ask([USER, NAS]), secondsLeft: seen[0] };
  };
  const DISCONNECT = { kind: "disconnect" } as const;
  const THROTTLE = { kind: "throttle", attributes: [{ name: "Filter-Id", value: "slow" }], undo: [] } as const;

  it("rejects who has used up what disconnects, with its message", async () => {
    const { reply } = await ask([standing(100, DISCONNECT)]);
    expect(reply).toMatchObject({ code: CODE.accessReject, attributes: [textAttribute(18, "Your quota is used up")] });
  });

  it("lets in with the throttled rate, in the place of the plan's", async () => {
    const { reply } = await ask([standing(120, THROTTLE)]);
    expect(reply).toMatchObject({ code: CODE.accessAccept, attributes: [textAttribute(11, "slow")] });
  });

  it("lets in as the plan says below the threshold", async () => {
    const { reply } = await ask([standing(99, DISCONNECT), standing(99, THROTTLE)]);
    expect(reply).toMatchObject({ code: CODE.accessAccept, attributes: [textAttribute(11, "fast")] });
  });

  it("bounds the acct session by what a time quota leaves", async () => {
    expect((await ask([standing(40, DISCONNECT, "time")])).secondsLeft).toBe(600);
  });
});

describe("checksimul", () => {
  const acctSession = (key: string, startedAtMs: number, heardAtMs: number, station?: string) =>
    ({
      key,
      username: "nemo",
      acctSessionId: key,
      startedAtMs,
      heardAtMs,
      facts: { nasIdentifier: "nas-07", callingStationId: station },
    }) as AcctSession;
  const outcome = (kind: string, errorCause?: number) => ({ kind, errorCause }) as unknown as Outcome;

  async function ask(
    open: readonly AcctSession[],
    settings: object,
    answer: (request: ExchangeRequest) => Outcome = () => outcome("timeout"),
  ) {
    const asked: string[] = [];
    const store = {
      acctSessions: { find: async () => ({ items: open, next: undefined }) },
    } as unknown as ModuleServices["store"];
    const dynauth = {
      exchange: async (request: ExchangeRequest) => {
        asked.push(`${request.code} ${request.acctSessionKey}`);
        return [answer(request)];
      },
    };
    const rig = new ModuleRig({ store, dynauth });
    rig.clock.advance(3_600_000);
    const instances = [{ name: "checksimul", module: "checksimul", settings }];
    const sections = { authorize: [callOf("accept")], checksimul: [callOf("checksimul")] };
    await rig.use([accept], sections, { instances });
    const reply = await rig.ask([USER, NAS, textAttribute(31, "00-11-22-AA-BB-CC")]);
    return { code: reply.kind === "reply" ? reply.code : reply.reason, asked, nowMs: rig.clock.wallMs() };
  }
  const NOW = 1_700_000_000_000 + 3_600_000;

  it("lets in below the limit, and rejects at it", async () => {
    const one = acctSession("s1", 1, NOW);
    expect(await ask([one], { limit: 2 })).toMatchObject({ code: CODE.accessAccept, asked: [] });
    expect(await ask([one], { limit: 1 })).toMatchObject({ code: CODE.accessReject, asked: [] });
    expect(await ask([one], {})).toMatchObject({ code: CODE.accessAccept });
  });

  it("does not count the device that comes back to the same NAS", async () => {
    const same = acctSession("s1", 1, NOW, "00:11:22:aa:bb:cc");
    expect(await ask([same], { limit: 1 })).toMatchObject({ code: CODE.accessAccept });
    const other = acctSession("s1", 1, NOW, "00:11:22:aa:bb:cd");
    expect(await ask([other], { limit: 1 })).toMatchObject({ code: CODE.accessReject });
  });

  it.each([
    { what: "does not know it (503)", answer: outcome("nak", 503), code: CODE.accessAccept },
    { what: "knows it", answer: outcome("ack"), code: CODE.accessReject },
    { what: "says no for another reason", answer: outcome("nak", 406), code: CODE.accessReject },
    { what: "says nothing", answer: outcome("timeout"), code: CODE.accessReject },
    { what: "is not there", answer: outcome("no-route"), code: CODE.accessReject },
  ])("asks the NAS for one that was silent for long; where it $what the answer is $code", async ({ answer, code }) => {
    const silent = acctSession("s1", 1, NOW - 301_000);
    expect(await ask([silent], { limit: 1 }, () => answer)).toMatchObject({ code, asked: ["43 s1"] });
  });

  it("disconnects the oldest for the new one, and only then lets it in", async () => {
    const open = [acctSession("young", 20, NOW), acctSession("old", 10, NOW), acctSession("older", 5, NOW)];
    const settings = { limit: 2, onLimit: "disconnect-oldest" };
    const acked = await ask(open, settings, () => outcome("ack"));
    expect(acked).toMatchObject({ code: CODE.accessAccept, asked: ["40 older", "40 old"] });
    expect(await ask(open, settings, () => outcome("nak", 503))).toMatchObject({ code: CODE.accessAccept });
    expect(await ask(open, settings, () => outcome("timeout"))).toMatchObject({ code: CODE.accessReject });
  });

  describe("of logins before their accounting Start", () => {
    async function rigWith(open: AcctSession[], settings: object) {
      const store = {
        acctSessions: { find: async () => ({ items: [...open], next: undefined }) },
      } as unknown as ModuleServices["store"];
      const rig = new ModuleRig({ store, dynauth: { exchange: async () => [outcome("ack")] } });
      const instances = [{ name: "checksimul", module: "checksimul", settings }];
      await rig.use([accept], { authorize: [callOf("accept")], checksimul: [callOf("checksimul")] }, { instances });
      const enter = async (...attributes: ReturnType<typeof textAttribute>[]) => {
        const reply = await rig.ask([USER, NAS, ...attributes]);
        return reply.kind === "reply" && reply.code === CODE.accessAccept;
      };
      return { rig, enter };
    }
    const A = textAttribute(31, "00-11-22-AA-BB-CC");
    const B = textAttribute(31, "00-11-22-AA-BB-CD");

    it.each([
      { what: "of two devices", first: [A], second: [B] },
      { what: "that name no device", first: [], second: [] },
    ])(
      "lets in one of two $what at the same moment, until the time of the first is over",
      async ({ first, second }) => {
        const { rig, enter } = await rigWith([], { limit: 1 });
        expect(await Promise.all([enter(...first), enter(...second)])).toEqual([true, false]);
        rig.clock.advance(4_999);
        expect(await enter(...second)).toBe(false);
        rig.clock.advance(1);
        expect(await enter(...second)).toBe(true);
      },
    );

    it("lets a device in again whose answer got lost", async () => {
      const { enter } = await rigWith([], { limit: 1 });
      expect([await enter(A), await enter(A)]).toEqual([true, true]);
    });

    it("counts a login no more once its acct session is there", async () => {
      const open: AcctSession[] = [];
      const { rig, enter } = await rigWith(open, { limit: 2 });
      expect(await enter(A)).toBe(true);
      open.push(acctSession("s1", rig.clock.wallMs(), rig.clock.wallMs(), "00:11:22:aa:bb:cc"));
      expect(await enter(B)).toBe(true);
      expect(await enter(textAttribute(31, "00-11-22-AA-BB-CE"))).toBe(false);
    });

    it("disconnects the oldest for one of two at the same moment", async () => {
      const { enter } = await rigWith([acctSession("old", 1, 1)], {
        limit: 1,
        onLimit: "disconnect-oldest",
        verifyAfterSeconds: 1e9,
      });
      expect((await Promise.all([enter(A), enter(B)])).filter(Boolean)).toHaveLength(1);
    });

    it("keeps no place where reserveSeconds is 0", async () => {
      const { enter } = await rigWith([], { limit: 1, reserveSeconds: 0 });
      expect(await Promise.all([enter(A), enter(B)])).toEqual([true, true]);
    });
  });
});
