import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { ModuleServices, QuotaServices } from "../../../../src/aaa/pipeline/types.ts";
import type { Standing } from "../../../../src/aaa/quota/rules.ts";
import { HubError } from "../../../../src/errors.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { ModuleRig } from "../../../support/module-rig.ts";
import { standing } from "../../../support/quota-standing.ts";

const ANONYMOUS = textAttribute(1, "anonymous");
const NEMO = textAttribute(1, "nemo");
const [FILTER_ID, CLASS, SESSION_TIMEOUT, REPLY_MESSAGE] = [11, 25, 27, 18];
const shown = (attributes: readonly Attribute[]) => attributes.map(({ type }) => type);

/** A rig whose upstream lets everybody in. */
async function passingOn(
  services: Partial<ModuleServices>,
  sections: Parameters<ModuleRig["use"]>[1],
  options: Parameters<ModuleRig["use"]>[2] = {},
  accept: readonly Attribute[] = [],
) {
  const upstreams = {
    poolFor: () => "aaa",
    has: () => true,
    forward: () => Promise.reject(new Error("the pipeline does that")),
  };
  const rig = new ModuleRig({ upstreams, ...services });
  rig.upstream = async () => ({ kind: "reply", code: CODE.accessAccept, attributes: accept, proxied: true });
  await rig.use([], { authorize: [callOf("proxy"), callOf("quota")], ...sections }, options);
  return rig;
}

const quotaOf = (...standings: readonly Standing[]): QuotaServices => ({
  hasRules: true,
  standingsOn: async (username) => (username === "nemo" ? standings : []),
  throttle: () => [textAttribute(FILTER_ID, "slow")],
});

describe("quota, for whom an upstream has let in", () => {
  const sections = { postauth: [callOf("plan"), callOf("quota")] };
  const DISCONNECT = { kind: "disconnect" } as const;
  const THROTTLE = { kind: "throttle", attributes: [{ name: "Filter-Id", value: "slow" }], undo: [] } as const;

  it("rejects who has used it up, with its message and nothing of the Accept", async () => {
    const rig = await passingOn({ quota: quotaOf(standing(100, DISCONNECT)) }, sections, {}, [
      textAttribute(FILTER_ID, "fast"),
    ]);
    const attributes = [textAttribute(REPLY_MESSAGE, "Your quota is used up")];
    expect(await rig.ask([NEMO])).toEqual({ kind: "reply", code: CODE.accessReject, attributes });
    expect(await rig.ask([ANONYMOUS])).toMatchObject({ code: CODE.accessAccept });
  });

  it("goes by the name that the upstream gives, under which accounting will come", async () => {
    const rig = await passingOn({ quota: quotaOf(standing(100, DISCONNECT)) }, sections, {}, [NEMO]);
    expect(await rig.ask([ANONYMOUS])).toMatchObject({ code: CODE.accessReject });
  });

  it("throttles, in the place of what the upstream says", async () => {
    const rig = await passingOn({ quota: quotaOf(standing(120, THROTTLE)) }, sections, {}, [
      textAttribute(FILTER_ID, "fast"),
    ]);
    expect(await rig.ask([NEMO])).toMatchObject({ attributes: [textAttribute(FILTER_ID, "slow")] });
  });

  it.each([
    { upstream: 900, told: 600 },
    { upstream: 300, told: 300 },
    { upstream: undefined, told: 600 },
  ])("bounds a Session-Timeout of $upstream by what a time quota leaves: $told", async ({ upstream, told }) => {
    const accept = upstream === undefined ? [] : [integerAttribute(SESSION_TIMEOUT, upstream)];
    const rig = await passingOn({ quota: quotaOf(standing(40, DISCONNECT, "time")) }, sections, {}, accept);
    expect(await rig.ask([NEMO])).toMatchObject({ attributes: [integerAttribute(SESSION_TIMEOUT, told)] });
  });

  it("does not answer while the store is down", async () => {
    const quota = { ...quotaOf(), standingsOn: () => Promise.reject(new HubError("ERR_STORE", "down")) };
    const rig = await passingOn({ quota }, sections);
    expect(await rig.ask([NEMO])).toEqual({ kind: "discard", reason: "handled" });
    expect(rig.faults()).toEqual([]);
  });
});

describe("checksimul, for whom an upstream has let in", () => {
  const counting = (asked: (string | undefined)[]) =>
    ({
      acctSessions: {
        find: async ({ username }: { username?: string }) => {
          asked.push(username);
          const item = { key: "s1", username, acctSessionId: "s1", startedAtMs: 1, heardAtMs: 1e15, facts: {} };
          return { items: [item], next: undefined };
        },
      },
    }) as unknown as ModuleServices["store"];
  const sections = { checksimul: [callOf("checksimul")] };
  const limitOf = (limit: number) => ({
    instances: [{ name: "checksimul", module: "checksimul", settings: { limit } }],
  });

  it("counts acct sessions under the name that the upstream gives, else under the user's own", async () => {
    const asked: (string | undefined)[] = [];
    const own = await passingOn({ store: counting(asked) }, sections, limitOf(1));
    expect(await own.ask([NEMO])).toMatchObject({ code: CODE.accessReject });
    const given = await passingOn({ store: counting(asked) }, sections, limitOf(1), [NEMO]);
    expect(await given.ask([ANONYMOUS])).toMatchObject({ code: CODE.accessReject });
    expect(asked).toEqual(["nemo", "nemo"]);
    const more = await passingOn({ store: counting(asked) }, sections, limitOf(2));
    expect(await more.ask([NEMO])).toMatchObject({ code: CODE.accessAccept });
  });

  it("gives no answer, and no Accept, while the store is down", async () => {
    const find = () => Promise.reject(new HubError("ERR_STORE", "down"));
    const store = { acctSessions: { find } } as unknown as ModuleServices["store"];
    const rig = await passingOn({ store }, sections, limitOf(1));
    expect(await rig.ask([NEMO])).toEqual({ kind: "discard", reason: "handled" });
  });
});

describe("attr-filter in postproxy", () => {
  it("decides what of the upstream's answer goes to the router, whatever the answer is", async () => {
    const instances = [
      {
        name: "roaming",
        module: "attr-filter",
        settings: { keep: ["Class", "Session-Timeout", "Reply-Message"], set: { "Session-Timeout": 60 } },
      },
    ];
    const answer = [
      textAttribute(CLASS, "c"),
      textAttribute(FILTER_ID, "f"),
      integerAttribute(SESSION_TIMEOUT, 900),
      textAttribute(REPLY_MESSAGE, "m"),
    ];
    const rig = await passingOn({}, { postproxy: [callOf("roaming")] }, { instances }, answer);
    const accepted = await rig.ask([NEMO]);
    expect(accepted.kind === "reply" && shown(accepted.attributes)).toEqual([CLASS, REPLY_MESSAGE, SESSION_TIMEOUT]);
    rig.upstream = async () => ({ kind: "reply", code: CODE.accessChallenge, attributes: answer, proxied: true });
    const challenged = await rig.ask([NEMO]);
    expect(challenged).toMatchObject({ code: CODE.accessChallenge });
    expect(challenged.kind === "reply" && shown(challenged.attributes)).toEqual([
      CLASS,
      REPLY_MESSAGE,
      SESSION_TIMEOUT,
    ]);
  });
});

describe("preproxy", () => {
  const PROXY_STATE = textAttribute(33, "of a proxy before us");

  /** What the upstream gets of a request. */
  async function passedOn(settings: object, request: readonly Attribute[], code: number = CODE.accessRequest) {
    const instances = [{ name: "away", module: "attr-filter", settings }];
    const sections = { preacct: [callOf("proxy")], preproxy: [callOf("away")] };
    const rig = await passingOn({}, sections, { instances });
    const got: (readonly Attribute[])[] = [];
    rig.upstream = async ({ packet, link, signal }) => {
      expect(link.linkId).toBe("l1");
      expect(signal.aborted).toBe(false);
      got.push(packet.attributes.filter(({ type }) => type !== 80)); // Message-Authenticator is made anew
      return { kind: "discard", reason: "upstream-silent" };
    };
    await rig.ask(request, code);
    return got[0];
  }
  const REQUEST = [NEMO, textAttribute(CLASS, "c"), PROXY_STATE, textAttribute(FILTER_ID, "f")];

  it.each([CODE.accessRequest, CODE.accountingRequest])(
    "attr-filter decides what of a request (code %s) is passed on",
    async (code) => {
      const { length } = (await passedOn({}, REQUEST, code)) ?? [];
      expect(length).toBe(REQUEST.length);
      const changed = await passedOn({ remove: ["Class"], set: { "User-Name": "nemo@far" } }, REQUEST, code);
      expect(changed).toEqual([textAttribute(FILTER_ID, "f"), textAttribute(1, "nemo@far"), PROXY_STATE]);
    },
  );

  it("keeps the Proxy-States of those before us, whatever a module does (RFC 2865 Section 5.33)", async () => {
    expect(await passedOn({ remove: ["Proxy-State"] }, REQUEST)).toContainEqual(PROXY_STATE);
    expect(await passedOn({ keep: ["User-Name"] }, REQUEST)).toEqual([NEMO, PROXY_STATE]);
  });
});

describe("proxy", () => {
  it("passes on to what realms say, or always to its own pool; the first of two counts", async () => {
    const pools: string[] = [];
    const instances = [{ name: "away", module: "proxy", settings: { pool: "far" } }];
    const ask = async (...names: string[]) => {
      const rig = await passingOn({}, { authorize: names.map(callOf) }, { instances });
      rig.upstream = async (_, pool) => {
        pools.push(pool);
        return { kind: "discard", reason: "upstream-silent" };
      };
      return rig.ask([NEMO]);
    };
    expect(await ask("proxy", "away")).toEqual({ kind: "discard", reason: "upstream-silent" });
    await ask("away", "proxy");
    expect(pools).toEqual(["aaa", "far"]);
  });
});
