import { describe, expect, it } from "vitest";
import { DEFAULT_SECTIONS } from "../../../src/aaa/pipeline/options.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { configOf, FILES, load } from "./load.ts";

const DICTIONARY = Dictionary.load(new URL("../../../config/dictionaries", import.meta.url).pathname);

/** "line: key: message" of every mistake. */
function mistakes(yaml: string): string[] {
  const loaded = load(yaml, {}, FILES, { dictionary: DICTIONARY });
  return loaded.ok ? [] : loaded.problems.map(({ line, key, message }) => `${line}: ${key}: ${message}`);
}

describe("modules", () => {
  it("without a word about them: realms, users of the store, accounting", () => {
    expect(configOf("").modules).toEqual({
      folder: undefined,
      callTimeoutMs: 5_000,
      blockedAfterMs: 100,
      instances: [],
      sections: DEFAULT_SECTIONS,
    });
  });

  it("reads lists, overrides and nested groups; an instance has the name of its module", () => {
    const { instances, sections } = configOf(`
modules:
  instances: [{ module: mac }, { module: log, name: audit, settings: { level: warn } }]
  sections:
    authorize:
      - proxy
      - { instance: users, on: { notfound: return, ok: 7, fail: reject } }
      - redundant: [{ load-balance: [audit, mac] }, users]
        on: { fail: 1 }
    authenticate: { PAP: [pap, audit] }
    postauth: []
`).modules;
    expect(instances).toEqual([
      { name: "mac", module: "mac", settings: {} },
      { name: "audit", module: "log", settings: { level: "warn" } },
    ]);
    const call = (instance: string, on = {}) => ({ kind: "call", instance, on });
    expect(sections.authorize).toEqual([
      call("proxy"),
      call("users", { notfound: "return", ok: 7, fail: "reject" }),
      {
        kind: "redundant",
        items: [{ kind: "load-balance", items: [call("audit"), call("mac")], on: {} }, call("users")],
        on: { fail: 1 },
      },
    ]);
    expect(sections.authenticate["pap"]).toEqual([call("pap"), call("audit")]);
    expect(sections.authenticate["chap"]).toEqual([call("chap")]);
    expect(sections.postauth).toEqual([]);
    expect(sections.accounting).toEqual(DEFAULT_SECTIONS.accounting);
  });

  it("names every mistake with its place", () => {
    const yaml = `modules:
  instances:
    - module: atr-filter
    - module: attr-filter
      settings: { remove: [Class, No-Such], set: { Session-Timeout: soon }, drop: x }
    - { module: checksimul, settings: { onLimit: kill, limit: 0 } }
    - { module: log, name: audit, settings: { attributes: [No-Such] } }
    - { module: log, name: audit }
    - { module: proxy, name: away, settings: { pool: nowhere } }
  sections:
    authorize: [userz, { instance: users, on: { okay: 1, ok: 0, fail: stop } }]
    preacct: proxy
    accounting: [{ redundant: [] }, { redundnt: [sessions] }, { instance: sessions, group: [sessions] }, 7]
`;
    expect(mistakes(yaml)).toEqual([
      '3: modules.instances[0].module: there is no module of this name; did you mean "attr-filter"?',
      "5: modules.instances[1].settings.drop: unknown key; known here: remove, keep, set",
      '6: modules.instances[2].settings.onLimit: Invalid option: expected one of "reject"|"disconnect-oldest"',
      "6: modules.instances[2].settings.limit: Too small: expected number to be >=1",
      "7: modules.instances[3].settings.attributes[0]: no dictionary has an attribute of this name",
      "8: modules.instances[4].name: duplicate name of an instance: item 3 of the list has the same",
      "9: modules.instances[5].settings.pool: there is no pool of this name in upstreams",
      '11: modules.sections.authorize[0]: there is no instance or module of this name; did you mean "users"?',
      "11: modules.sections.authorize[1].on.okay: unknown key; known here: reject, fail, ok, handled, invalid, userlock, notfound, noop, updated",
      "11: modules.sections.authorize[1].on.ok: must be return, reject or a priority from 1 to 9999",
      "11: modules.sections.authorize[1].on.fail: must be return, reject or a priority from 1 to 9999",
      "12: modules.sections.preacct: must be a list of instances and groups",
      "13: modules.sections.accounting[0].redundant: must not be an empty list",
      "13: modules.sections.accounting[1]: needs exactly one of instance, group, redundant, load-balance, redundant-load-balance",
      '13: modules.sections.accounting[1].redundnt: unknown key; did you mean "redundant"?',
      "13: modules.sections.accounting[2]: needs exactly one of instance, group, redundant, load-balance, redundant-load-balance",
      "13: modules.sections.accounting[3]: must be the name of an instance, or a map with instance, group, redundant or load-balance",
    ]);
  });

  it("finds attributes that no dictionary has and values that do not fit, in settings that are otherwise right", () => {
    const settings = "{ remove: [Class, No-Such], set: { Session-Timeout: soon } }";
    expect(mistakes(`modules: { instances: [{ module: attr-filter, settings: ${settings} }] }`)).toEqual([
      "1: modules.instances[0].settings.remove[1]: no dictionary has an attribute of this name",
      "1: modules.instances[0].settings.set.Session-Timeout: Session-Timeout takes an integer 0..4294967295",
    ]);
  });

  it("names a section that calls a component which the module does not have", () => {
    const yaml = `modules:
  instances:
    - { module: rest, name: shop, settings: { url: "http://127.0.0.1", authorize: { uri: / } } }
    - { module: checksimul, settings: { limit: none } }
  sections:
    authorize: [shop, { redundant: [users, plan] }]
    authenticate: { PAP: [shop] }
    checksimul: [checksimul]
    postauthReject: [pap]
`;
    expect(mistakes(yaml)).toEqual([
      "4: modules.instances[1].settings.limit: Invalid input: expected number, received string",
      "6: modules.sections.authorize[1].redundant[1]: module plan has no component authorize; it has postauth",
      "7: modules.sections.authenticate.PAP[0]: module rest has no component authenticate; it has authorize",
      "9: modules.sections.postauthReject[0]: module pap has no component postauth; it has authorize, authenticate",
    ]);
  });

  it("takes numbers and booleans of settings from the environment", () => {
    const settings = 'limit: "${env:LIMIT}", verifyAfterSeconds: "${env:SECONDS:-60}"';
    const yaml = `modules:
  instances:
    - { module: checksimul, settings: { ${settings} } }
    - { module: mschap, settings: { mppe: "${"${env:MPPE}"}" } }
`;
    const read = (env: Record<string, string>) => {
      const loaded = load(yaml, env, FILES, { dictionary: DICTIONARY });
      return loaded.ok ? [] : loaded.problems.map(({ line, message }) => `${line}: ${message}`);
    };
    expect(read({ LIMIT: "3", MPPE: "false" })).toEqual([]);
    expect(read({ LIMIT: "three", MPPE: "no" })).toEqual([
      "3: Invalid input: expected number, received string",
      "4: Invalid input: expected boolean, received string",
    ]);
    expect(read({ LIMIT: "0", MPPE: "true" })).toEqual(["3: Too small: expected number to be >=1"]);
  });
});
