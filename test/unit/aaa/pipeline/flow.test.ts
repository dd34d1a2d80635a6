import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { RETURN_CODES, type ReturnCode } from "../../../../src/aaa/pipeline/types.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import type { Reply } from "../../../../src/transport/link.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";

const accept = moduleOf("accept", {
  authorize({ control }) {
    control.authType = "Accept";
    return "updated";
  },
});
const chosen = (code: ReturnCode, name = "chosen", more = {}) =>
  moduleOf(
    name,
    Object.fromEntries(
      ["authorize", "authenticate", "preacct", "accounting", "checksimul", "postauth", "preproxy", "postproxy"].map(
        (component) => [component, () => code],
      ),
    ),
    more,
  );
const toPool = moduleOf("to-pool", {
  authorize({ control }) {
    control.proxyTo = "aaa";
    return "updated";
  },
  preacct({ control }) {
    control.proxyTo = "aaa";
    return "updated";
  },
});

const shown = (reply: Reply) => (reply.kind === "reply" ? reply.code : reply.reason);
const ACCEPT = CODE.accessAccept;
const REJECT = CODE.accessReject;

/** What FreeRADIUS makes of the code of a whole section: the verdict, by section. */
const VERDICTS: Readonly<Record<ReturnCode, readonly [authorize: unknown, authenticate: unknown, postauth: unknown]>> =
  {
    ok: [ACCEPT, ACCEPT, ACCEPT],
    updated: [ACCEPT, REJECT, ACCEPT],
    noop: [ACCEPT, REJECT, ACCEPT],
    notfound: [ACCEPT, REJECT, ACCEPT],
    handled: ["handled", "handled", "handled"],
    reject: [REJECT, REJECT, REJECT],
    fail: [REJECT, REJECT, REJECT],
    invalid: [REJECT, REJECT, REJECT],
    userlock: [REJECT, REJECT, REJECT],
  };

describe("an Access-Request", () => {
  it.each(RETURN_CODES)("authorize, authenticate and postauth that end with %s", async (code) => {
    const rig = new ModuleRig();
    const [authorize, authenticate, postauth] = VERDICTS[code];
    await rig.use([accept, chosen(code)], { authorize: [callOf("accept"), callOf("chosen")] });
    expect(shown(await rig.ask())).toBe(authorize);
    const byList = moduleOf("by-list", {
      authorize({ control }) {
        control.authType = "Mine";
        return "ok";
      },
    });
    const lists = { authorize: [callOf("by-list")], authenticate: { mine: [callOf("chosen")] } };
    await rig.use([byList, chosen(code)], lists);
    expect(shown(await rig.ask())).toBe(authenticate);
    await rig.use([accept, chosen(code)], { authorize: [callOf("accept")], postauth: [callOf("chosen")] });
    expect(shown(await rig.ask())).toBe(postauth);
  });

  it("is rejected without an Auth-Type, and with one that has no list", async () => {
    const rig = new ModuleRig();
    await rig.use([], {});
    expect(shown(await rig.ask())).toBe(REJECT);
    const odd = moduleOf("odd", {
      authorize({ control }) {
        control.authType = "Odd";
        return "ok";
      },
    });
    await rig.use([odd], { authorize: [callOf("odd")] });
    expect(shown(await rig.ask())).toBe(REJECT);
  });

  it("says in an Access-Reject only what RFC 2865 Section 5.44 lets it, whatever was meant for the Accept", async () => {
    const rig = new ModuleRig();
    const generous = moduleOf("generous", {
      postauth({ reply }) {
        reply.add("Framed-IP-Address", "192.0.2.1");
        reply.add("Mikrotik-Rate-Limit", "1M/1M");
        reply.add("Reply-Message", "no");
        return "reject";
      },
    });
    await rig.use([accept, generous], { authorize: [callOf("accept")], postauth: [callOf("generous")] });
    const reply = await rig.ask();
    expect(reply).toEqual({ kind: "reply", code: REJECT, attributes: [textAttribute(18, "no")] });
  });

  it("runs postauthReject, and no postauth, for who is rejected", async () => {
    const rig = new ModuleRig();
    const ran: string[] = [];
    const watching = (name: string) =>
      moduleOf(name, {
        postauth(request) {
          ran.push(`${name} ${request.control.rejectReason}`);
          return "ok";
        },
      });
    await rig.use([chosen("reject"), watching("one"), watching("two")], {
      authorize: [callOf("chosen")],
      postauth: [callOf("one")],
      postauthReject: [callOf("two")],
    });
    expect(shown(await rig.ask())).toBe(REJECT);
    expect(ran).toEqual(["two reject"]);
  });

  it("is refused only after the password was right", async () => {
    const rig = new ModuleRig();
    let code: ReturnCode = "reject";
    const strict = moduleOf("strict", {
      authorize(request) {
        request.control.authType = "Mine";
        request.refuse("disabled", "Your account is disabled");
        return "ok";
      },
      authenticate: () => code,
    });
    await rig.use([strict], { authorize: [callOf("strict")], authenticate: { mine: [callOf("strict")] } });
    expect(await rig.ask()).toEqual({ kind: "reply", code: REJECT, attributes: [] });
    code = "ok";
    const attributes = [textAttribute(18, "Your account is disabled")];
    expect(await rig.ask()).toEqual({ kind: "reply", code: REJECT, attributes });
  });

  it("sends the challenge that a module makes", async () => {
    const rig = new ModuleRig();
    const challenging = moduleOf("challenging", {
      authorize({ reply }) {
        reply.add("State", "0x01");
        reply.code = CODE.accessChallenge;
        return "handled";
      },
    });
    await rig.use([challenging], { authorize: [callOf("challenging")] });
    expect(shown(await rig.ask())).toBe(CODE.accessChallenge);
  });

  it("lets checksimul decide after the password", async () => {
    const rig = new ModuleRig();
    await rig.use([accept, chosen("reject")], { authorize: [callOf("accept")], checksimul: [callOf("chosen")] });
    expect(shown(await rig.ask())).toBe(REJECT);
  });
});

describe("an Access-Request that is passed on", () => {
  const upstreamAccept: Reply = { kind: "reply", code: ACCEPT, attributes: [textAttribute(25, "c")], proxied: true };
  const sections = { authorize: [callOf("to-pool")] };

  it("goes through preproxy, the pool, postproxy and postauth, and never through authenticate", async () => {
    const rig = new ModuleRig();
    const ran: string[] = [];
    rig.upstream = async (_, pool) => {
      ran.push(pool);
      return upstreamAccept;
    };
    const noting = moduleOf("noting", {
      authenticate: () => (ran.push("authenticate"), "ok"),
      preproxy: () => (ran.push("preproxy"), "ok"),
      postproxy: ({ reply }) => (ran.push(`postproxy ${reply.code}`), "ok"),
      postauth: () => (ran.push("postauth"), "ok"),
    });
    const at = [callOf("noting")];
    await rig.use([toPool, noting], {
      ...sections,
      preproxy: at,
      postproxy: at,
      postauth: at,
      authenticate: { pap: at },
    });
    expect(await rig.ask()).toEqual({ kind: "reply", code: ACCEPT, attributes: [textAttribute(25, "c")] });
    expect(ran).toEqual(["preproxy", "aaa", "postproxy 2", "postauth"]);
  });

  it.each([
    { code: "reject", pre: REJECT, post: REJECT },
    { code: "invalid", pre: REJECT, post: REJECT },
    { code: "userlock", pre: REJECT, post: REJECT },
    { code: "fail", pre: REJECT, post: "postproxy-fail" },
    { code: "notfound", pre: REJECT, post: ACCEPT },
    { code: "handled", pre: "handled", post: ACCEPT },
    { code: "ok", pre: ACCEPT, post: ACCEPT },
    { code: "noop", pre: ACCEPT, post: ACCEPT },
    { code: "updated", pre: ACCEPT, post: ACCEPT },
  ] as const)("$code in preproxy gives $pre, in postproxy $post", async ({ code, pre, post }) => {
    const rig = new ModuleRig();
    rig.upstream = async () => upstreamAccept;
    await rig.use([toPool, chosen(code)], { ...sections, preproxy: [callOf("chosen")] });
    expect(shown(await rig.ask())).toBe(pre);
    await rig.use([toPool, chosen(code)], { ...sections, postproxy: [callOf("chosen")] });
    expect(shown(await rig.ask())).toBe(post);
  });

  it("is refused after the upstream has let it in, where a module refuses the user", async () => {
    const rig = new ModuleRig();
    rig.upstream = async () => upstreamAccept;
    const strict = moduleOf("strict", {
      authorize(request) {
        request.refuse("closed", "We are closed");
        return "ok";
      },
    });
    await rig.use([toPool, strict], { authorize: [callOf("to-pool"), callOf("strict")] });
    const attributes = [textAttribute(18, "We are closed")];
    expect(await rig.ask()).toEqual({ kind: "reply", code: REJECT, attributes });
    const upstreamReject: Reply = { kind: "reply", code: REJECT, attributes: [], proxied: true };
    rig.upstream = async () => upstreamReject;
    expect(await rig.ask()).toEqual(upstreamReject);
  });

  it("lets checksimul decide once the upstream has let it in, and turns its EAP Success into a Failure", async () => {
    const rig = new ModuleRig();
    const eap = (code: number) => ({ type: 79, value: Buffer.of(code, 9, 0, 4) });
    rig.upstream = async () => ({ kind: "reply", code: ACCEPT, attributes: [eap(3)], proxied: true });
    const lists = { ...sections, checksimul: [callOf("chosen")], postauth: [callOf("after")] };
    const ran: string[] = [];
    const after = moduleOf("after", { postauth: () => (ran.push("postauth"), "ok") });
    await rig.use([toPool, chosen("ok"), after], lists);
    expect(await rig.ask()).toEqual({ kind: "reply", code: ACCEPT, attributes: [eap(3)] });
    await rig.use([toPool, chosen("reject"), after], lists);
    expect(await rig.ask()).toEqual({ kind: "reply", code: REJECT, attributes: [eap(4)] });
    expect(ran).toEqual(["postauth"]);
  });

  it("gives the upstream's Reject as it is, marked as somebody else's verdict", async () => {
    const rig = new ModuleRig();
    const answer: Reply = { kind: "reply", code: REJECT, attributes: [textAttribute(18, "no")], proxied: true };
    rig.upstream = async () => answer;
    await rig.use([toPool], sections);
    expect(await rig.ask()).toEqual(answer);
  });
});

describe("an Accounting-Request", () => {
  const RECORD = [textAttribute(32, "nas-07")];
  const ask = (rig: ModuleRig) => rig.ask(RECORD, CODE.accountingRequest);
  const stores = { stores: true };

  it.each([
    { code: "ok", verdict: CODE.accountingResponse },
    { code: "updated", verdict: CODE.accountingResponse },
    { code: "fail", verdict: "accounting-fail" },
    { code: "reject", verdict: "accounting-reject" },
    { code: "invalid", verdict: "accounting-invalid" },
    { code: "userlock", verdict: "accounting-userlock" },
    { code: "notfound", verdict: "accounting-notfound" },
    { code: "handled", verdict: "handled" },
    { code: "noop", verdict: CODE.protocolError },
  ] as const)("$code of a module that stores gives $verdict", async ({ code, verdict }) => {
    const rig = new ModuleRig();
    await rig.use([chosen(code, "keeper", stores)], { accounting: [callOf("keeper")] });
    expect(shown(await ask(rig))).toBe(verdict);
  });

  it("is not acknowledged on the word of a module that does not store (invariant 6)", async () => {
    const rig = new ModuleRig();
    await rig.use([chosen("ok")], { accounting: [callOf("chosen")] });
    expect(shown(await ask(rig))).toBe("accounting-ok");
  });

  it("is not acknowledged where one module has stored it and the list fails", async () => {
    const rig = new ModuleRig();
    await rig.use([chosen("ok", "keeper", stores), chosen("fail")], {
      accounting: [callOf("keeper"), callOf("chosen")],
    });
    expect(shown(await ask(rig))).toBe("accounting-fail");
  });

  it.each(["reject", "fail", "invalid", "userlock", "notfound", "handled"] as const)(
    "is not answered when preacct ends with %s",
    async (code) => {
      const rig = new ModuleRig();
      const lists = { preacct: [callOf("chosen")], accounting: [callOf("keeper")] };
      await rig.use([chosen(code), chosen("ok", "keeper", stores)], lists);
      expect(shown(await ask(rig))).toBe(code === "handled" ? "handled" : `preacct-${code}`);
    },
  );

  it("that is passed on is stored too, by the modules that store alone, and both must have happened", async () => {
    const rig = new ModuleRig();
    rig.upstream = async () => ({ kind: "reply", code: CODE.accountingResponse, attributes: [], proxied: true });
    const ran: string[] = [];
    let code: ReturnCode = "ok";
    const keeper = moduleOf("keeper", { accounting: () => (ran.push("keeper"), code) }, stores);
    const other = moduleOf("other", { accounting: () => (ran.push("other"), "ok") });
    const lists = { preacct: [callOf("to-pool")], accounting: [callOf("other"), callOf("keeper")] };
    await rig.use([toPool, keeper, other], lists);
    expect(shown(await ask(rig))).toBe(CODE.accountingResponse);
    expect(ran).toEqual(["keeper"]);
    code = "fail";
    expect(shown(await ask(rig))).toBe("accounting-fail");
    code = "ok";
    rig.upstream = async () => ({ kind: "discard", reason: "upstream-silent" });
    expect(shown(await ask(rig))).toBe("upstream-silent");
  });
});
