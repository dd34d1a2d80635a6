import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { CALLS, restSettings } from "../../../src/aaa/modules/rest/settings.ts";
import { problemText } from "../../../src/config/problem.ts";
import { DICTIONARY } from "../../support/module-rig.ts";
import { load } from "./load.ts";

const AUTHORIZE = "authorize: { uri: /a }";

/** What is wrong with settings of an instance, without their place. */
function mistakes(settings: string): string[] {
  const yaml = `modules: { instances: [{ module: rest, name: r, settings: { ${settings} } }] }`;
  const loaded = load(yaml, { TOKEN: "a-token" }, {}, { dictionary: DICTIONARY });
  return loaded.ok
    ? []
    : loaded.problems.map((problem) => problemText(problem).replace(/^.*modules\.instances\[0\]\./, ""));
}

describe("settings of rest", () => {
  it.each([
    ["all of it where it is needed", `url: "https://api.example.net:8443/v1", ${AUTHORIZE}`],
    [
      "a token from outside",
      `url: "http://127.0.0.1", headers: { Authorization: "Bearer \${env:TOKEN}" }, ${AUTHORIZE}`,
    ],
    [
      "data as FreeRADIUS writes it",
      `url: "http://127.0.0.1", authorize: { uri: /a, body: json, data: '{"u": "%{User-Name}", "n": 1}' }`,
    ],
    [
      "codes by status and class",
      `url: "http://127.0.0.1", authorize: { uri: /a, status: { 402: userlock, 5xx: noop } }`,
    ],
  ])("take %s", (_, settings) => expect(mistakes(settings)).toEqual([]));

  const PLACE = `url: "http://127.0.0.1", `;
  it.each([
    [AUTHORIZE, "settings.url: Invalid input: expected string, received undefined"],
    [
      `url: "ftp://127.0.0.1", ${AUTHORIZE}`,
      "settings.url: must be http:// or https:// with a host, without user, password, query and #",
    ],
    [
      `url: "http://a:b@127.0.0.1", ${AUTHORIZE}`,
      "settings.url: must be http:// or https:// with a host, without user, password, query and #",
    ],
    [`${PLACE}timeout: 3s`, "settings: has nothing to ask: needs one of authorize, authenticate, accounting, postauth"],
    [`${PLACE}${AUTHORIZE}, timeouts: 3s`, 'settings.timeouts: unknown key; did you mean "timeout"?'],
    [`${PLACE}${AUTHORIZE}, timeout: 3`, 'settings.timeout: must be a duration from 10ms to 30s, such as "3s"'],
    [`${PLACE}${AUTHORIZE}, timeout: 1h`, 'settings.timeout: must be a duration from 10ms to 30s, such as "3s"'],
    [
      `${PLACE}${AUTHORIZE}, cache: { key: "%{No-Such}" }`,
      "settings.cache.key: %{No-Such} is no attribute of a dictionary, and no name of rest",
    ],
    [
      `${PLACE}${AUTHORIZE}, headers: { X: "%{" }`,
      "settings.headers.X: has a %{...} that is none of %{Name}, %{Name:-default}; write %%{ for a plain %{",
    ],
    [`${PLACE}${AUTHORIZE}, tls: { serverName: x }`, "settings.tls: is for a url with https://"],
    [
      `url: "https://x", ${AUTHORIZE}, tls: { certificateFile: /no }`,
      "settings.tls: needs both certificateFile and keyFile, or none",
    ],
    [
      `url: "https://x", ${AUTHORIZE}, tls: { caFiles: [/no] }`,
      "settings.tls.caFiles[0]: the file can not be read (ENOENT)",
    ],
    [`${PLACE}authorize: { uri: a }`, 'settings.authorize.uri: must begin with "/": it is put behind `url`'],
    [
      `${PLACE}authorize: { uri: "/%{urlquote:%{User-Name}}" }`,
      "settings.authorize.uri: has a %{...} that is none of %{Name}, %{Name:-default}; write %%{ for a plain %{",
    ],
    [
      `${PLACE}authorize: { uri: "/%{json:a}" }`,
      "settings.authorize.uri: %{json:a} is no attribute of a dictionary, and no name of rest",
    ],
    [`${PLACE}authorize: { uri: /a, data: { a: 1 } }`, "settings.authorize.data: is for body: json or body: post"],
    [
      `${PLACE}authorize: { uri: /a, body: json, data: '{"n": %{NAS-Port}}' }`,
      'settings.authorize.data: must be a map, or JSON in which every %{...} stands within "..."',
    ],
    [
      `${PLACE}authorize: { uri: /a, body: post, data: "u=%{User-Name}" }`,
      "settings.authorize.data: must be a map of names and texts",
    ],
    [
      `${PLACE}authorize: { uri: /a, status: { 40x: ok } }`,
      "settings.authorize.status.40x: is no status such as 402, nor a class such as 5xx",
    ],
    [
      `${PLACE}authorize: { uri: /a, reply: { No-Such: "1" } }`,
      "settings.authorize.reply.No-Such: no dictionary has an attribute of this name",
    ],
    [
      `${PLACE}authorize: { uri: /a, control: { Auth: Accept } }`,
      "settings.authorize.control.Auth: is none of auth-type, proxy-to-realm, cleartext-password, nt-password, simultaneous-use",
    ],
    [`${PLACE}authorize: { uri: /a, wait: false }`, "settings.authorize.wait: is for accounting and postauth"],
    [
      `${PLACE}postauth: { uri: /a, whenDown: last-known }`,
      "settings.postauth.whenDown: last-known is for authorize and authenticate",
    ],
    [
      `${PLACE}accounting: { uri: /a, whenDown: reject }`,
      "settings.accounting.whenDown: of accounting is fail (no answer to the router) or ignore",
    ],
    [
      `${PLACE}accounting: { uri: /a, reply: { Class: x } }`,
      "settings.accounting.reply: an Accounting-Response has no attributes (RFC 2866 Section 5.13)",
    ],
  ])("refuse { %s }", (settings, mistake) => expect(mistakes(settings)).toContain(mistake));

  it("never quote a secret that they refuse", () => {
    expect(
      mistakes(
        `url: "http://hub:a-secret-word@127.0.0.1", basic: { username: "", password: a-secret-word }, ${AUTHORIZE}`,
      ).join(),
    ).not.toMatch(/a-secret-word/);
  });
});

describe("config/hub.yaml", () => {
  const shipped = readFileSync(new URL("../../../config/hub.yaml", import.meta.url), "utf8");
  const complete = parse(shipped.replaceAll(/^(\s*)#(?=\S| {2})/gm, "$1")) as {
    modules: { instances: { module: string; settings: object }[] };
  };
  const shown = complete.modules.instances.find(({ module }) => module === "rest")?.settings ?? {};

  it("shows every setting of rest, and its default where that makes sense", () => {
    expect(Object.keys(shown).toSorted()).toEqual(Object.keys(restSettings.shape).toSorted());
    const minimal = restSettings.parse({ url: "http://127.0.0.1" });
    const read = restSettings.parse(shown) as Readonly<Record<string, unknown>>;
    const different = Object.entries(minimal).filter(
      ([name, preset]) => JSON.stringify(read[name]) !== JSON.stringify(preset),
    );
    expect(different.map(([name]) => name).toSorted()).toEqual(["cache", "headers", "tls", "url", "whenDown"]);
  });

  it("shows every key of a call, and of its sections", () => {
    const calls = CALLS.map((name) => (shown as Readonly<Record<string, object>>)[name] ?? {});
    const keys = new Set(calls.flatMap((call) => Object.keys(call)));
    const { authorize, breaker, cache, tls } = restSettings.shape;
    const shapeOf = (schema: unknown): string[] => Object.keys((schema as { shape: object }).shape).toSorted();
    expect([...keys].toSorted()).toEqual(shapeOf(authorize.unwrap()));
    const { breaker: b, cache: c, tls: t } = shown as Readonly<Record<string, object>>;
    expect([b, c, t].map((each) => Object.keys(each ?? {}).toSorted())).toEqual(
      [breaker, cache, tls].map((each) => shapeOf(each.unwrap())),
    );
  });
});
