import { describe, expect, it } from "vitest";
import { type Action, defaultActions } from "../../../../src/aaa/pipeline/actions.ts";
import { type Item, runList } from "../../../../src/aaa/pipeline/list.ts";
import type { Pass } from "../../../../src/aaa/pipeline/pass.ts";
import { type Component, COMPONENTS, RETURN_CODES, type ReturnCode } from "../../../../src/aaa/pipeline/types.ts";

const PASS = {} as Pass;

/** Numbers that come in order, each in [0, 1). */
function fractions(...values: number[]) {
  return { bytes: () => Buffer.alloc(0), fraction: () => values.shift() ?? 0 };
}

/** An item that answers `code` and says that it ran. */
function answering(
  code: ReturnCode,
  ran: string[] = [],
  { component = "authorize", redundant = false, on = {}, later = false, name = code }: Partial<Answering> = {},
): Item {
  return {
    kind: "call",
    actions: { ...defaultActions(component, redundant), ...on },
    run() {
      ran.push(name);
      return later ? Promise.resolve(code) : code;
    },
  };
}

interface Answering {
  readonly component: Component;
  readonly redundant: boolean;
  readonly on: Partial<Record<ReturnCode, Action>>;
  readonly later: boolean;
  readonly name: string;
}

const run = (items: readonly Item[], empty: ReturnCode = "noop", random = fractions()) =>
  runList(items, PASS, empty, random);

/** What FreeRADIUS does by default: the codes that end a list, and the order of precedence of the others. */
const ENDS: Readonly<Record<Component, readonly ReturnCode[]>> = {
  authorize: ["reject", "fail", "handled", "invalid", "userlock"],
  authenticate: ["reject", "ok", "handled", "userlock", "notfound"],
  preacct: ["reject", "fail", "handled", "invalid", "userlock", "notfound"],
  accounting: ["reject", "fail", "handled", "invalid", "userlock", "notfound"],
  checksimul: ["reject", "ok", "handled", "invalid", "userlock", "notfound", "noop", "updated"],
  postauth: ["reject", "fail", "handled", "invalid", "userlock"],
  preproxy: ["reject", "fail", "handled", "invalid", "userlock"],
  postproxy: ["reject", "fail", "handled", "invalid", "userlock"],
};
const PRECEDENCE: Readonly<Record<Component, readonly ReturnCode[]>> = {
  authorize: ["notfound", "noop", "ok", "updated"],
  authenticate: [],
  preacct: ["noop", "ok", "updated"],
  accounting: ["noop", "ok", "updated"],
  checksimul: [],
  postauth: ["notfound", "noop", "ok", "updated"],
  preproxy: ["notfound", "noop", "ok", "updated"],
  postproxy: ["notfound", "noop", "ok", "updated"],
};

const CELLS = COMPONENTS.flatMap((component) =>
  RETURN_CODES.map((code) => ({ component, code, ends: ENDS[component].includes(code) })),
);

describe("default actions, as FreeRADIUS has them", () => {
  it.each(CELLS)("$component: $code ends the list: $ends", ({ component, code, ends }) => {
    const ran: string[] = [];
    void run([answering(code, ran, { component }), answering("noop", ran, { component, name: "next" })]);
    expect(ran).toEqual(ends ? [code] : [code, "next"]);
  });

  it.each(COMPONENTS.filter((component) => PRECEDENCE[component].length > 0))(
    "%s: of several codes the one with the highest precedence is that of the list, in whichever order they come",
    (component) => {
      const order = PRECEDENCE[component];
      for (const [index, higher] of order.entries()) {
        for (const lower of order.slice(0, index)) {
          expect(run([answering(higher, [], { component }), answering(lower, [], { component })])).toBe(higher);
          expect(run([answering(lower, [], { component }), answering(higher, [], { component })])).toBe(higher);
        }
      }
    },
  );

  it("of two codes with the same precedence takes the first", () => {
    const component = "authenticate";
    expect(run([answering("fail", [], { component }), answering("noop", [], { component })])).toBe("fail");
    expect(run([answering("noop", [], { component }), answering("fail", [], { component })])).toBe("noop");
  });

  it("gives an empty list the code that it is told", () => {
    expect(run([], "notfound")).toBe("notfound");
  });
});

describe("overrides", () => {
  it.each([
    { code: "notfound", action: "return", result: "notfound", ran: ["notfound"] },
    { code: "ok", action: "reject", result: "reject", ran: ["ok"] },
    { code: "reject", action: 1, result: "updated", ran: ["reject", "next"] },
    { code: "fail", action: 9, result: "fail", ran: ["fail", "next"] },
  ] as const)("$code = $action gives $result", ({ code, action, result, ran: expected }) => {
    const ran: string[] = [];
    const items = [answering(code, ran, { on: { [code]: action } }), answering("updated", ran, { name: "next" })];
    expect(run(items)).toBe(result);
    expect(ran).toEqual(expected);
  });
});

describe("groups", () => {
  const group = (kind: Exclude<Item["kind"], "call">, items: readonly Item[], on = {}): Item => ({
    kind,
    items,
    actions: { ...defaultActions("authorize", false), ...on },
  });
  const inGroup = (code: ReturnCode, ran: string[], name: string = code) =>
    answering(code, ran, { redundant: true, name });

  it("redundant: takes the next when one fails, and no more", () => {
    const ran: string[] = [];
    const items = [inGroup("fail", ran, "a"), inGroup("ok", ran, "b"), inGroup("ok", ran, "c")];
    expect(run([group("redundant", items)])).toBe("ok");
    expect(ran).toEqual(["a", "b"]);
  });

  it("redundant: fails when all fail, and the list around it ends", () => {
    const ran: string[] = [];
    const items = [inGroup("fail", ran, "a"), inGroup("fail", ran, "b")];
    expect(run([group("redundant", items), answering("ok", ran, { name: "behind" })])).toBe("fail");
    expect(ran).toEqual(["a", "b"]);
  });

  it("redundant in accounting: a record that one refuses goes to the next", () => {
    const ran: string[] = [];
    const item = (code: ReturnCode, name: string) =>
      answering(code, ran, { component: "accounting", redundant: true, name });
    expect(run([group("redundant", [item("reject", "a"), item("ok", "b")])])).toBe("ok");
    expect(ran).toEqual(["a", "b"]);
  });

  it("load-balance: takes one at random and no other, even when it fails", () => {
    const ran: string[] = [];
    const items = [answering("ok", ran, { name: "a" }), answering("fail", ran, { name: "b" })];
    expect(run([group("load-balance", items, { fail: 1 })], "noop", fractions(0.5))).toBe("fail");
    expect(ran).toEqual(["b"]);
  });

  it("load-balance: an override of the one that it takes counts", () => {
    const ran: string[] = [];
    const items = [answering("ok", ran, { name: "a", on: { ok: "reject" } }), answering("ok", ran, { name: "b" })];
    expect(run([group("load-balance", items)], "noop", fractions(0))).toBe("reject");
    expect(run([group("load-balance", items)], "noop", fractions(0.5))).toBe("ok");
    expect(ran).toEqual(["a", "b"]);
  });

  it("redundant-load-balance: fails when all fail, each asked once", () => {
    const ran: string[] = [];
    const items = ["a", "b", "c"].map((name) => inGroup("fail", ran, name));
    expect(run([group("redundant-load-balance", items)], "noop", fractions(0.7))).toBe("fail");
    expect(ran).toEqual(["c", "a", "b"]);
  });

  it("redundant-load-balance: begins at random and goes round while they fail", () => {
    const ran: string[] = [];
    const items = [inGroup("ok", ran, "a"), inGroup("fail", ran, "b"), inGroup("fail", ran, "c")];
    expect(run([group("redundant-load-balance", items)], "noop", fractions(0.34))).toBe("ok");
    expect(ran).toEqual(["b", "c", "a"]);
  });

  it("nests: load-balance in redundant", () => {
    const ran: string[] = [];
    const inner: Item = { ...group("load-balance", [answering("fail", ran, { name: "a" })]) };
    const actions = defaultActions("authorize", true);
    const items: Item[] = [{ ...inner, actions } as Item, inGroup("updated", ran, "b")];
    expect(run([group("redundant", items)])).toBe("updated");
    expect(ran).toEqual(["a", "b"]);
  });

  it("nests: groups in a redundant-load-balance, of which each is tried as a whole", () => {
    const ran: string[] = [];
    const actions = defaultActions("authorize", true);
    const inner = (...codes: readonly [ReturnCode, string][]): Item => ({
      kind: "group",
      actions,
      items: codes.map(([code, name]) => answering(code, ran, { name })),
    });
    const items = [inner(["ok", "a"], ["fail", "b"], ["ok", "c"]), inner(["noop", "d"], ["updated", "e"])];
    expect(run([group("redundant-load-balance", items)], "noop", fractions(0))).toBe("updated");
    expect(ran).toEqual(["a", "b", "d", "e"]);
  });

  it("group: is a list of its own, whose code counts once", () => {
    expect(run([group("group", [answering("noop"), answering("ok")]), answering("noop")])).toBe("ok");
  });
});

describe("waiting", () => {
  it("goes on where it was once a module has answered", async () => {
    const ran: string[] = [];
    const items = [
      answering("ok", ran, { name: "a" }),
      answering("noop", ran, { name: "b", later: true }),
      answering("updated", ran, { name: "c" }),
    ];
    const result = run(items);
    expect(ran).toEqual(["a", "b"]);
    expect(await result).toBe("updated");
    expect(ran).toEqual(["a", "b", "c"]);
  });

  it("makes no promise where every module answers at once", () => {
    expect(run([answering("ok"), answering("updated")])).toBe("updated");
  });
});
