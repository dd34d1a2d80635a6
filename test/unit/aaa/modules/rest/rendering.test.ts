import { describe, expect, it } from "vitest";
import { Rendering } from "../../../../../src/aaa/modules/rest/rendering.ts";
import { restSettings } from "../../../../../src/aaa/modules/rest/settings.ts";
import { PipelineRequest } from "../../../../../src/aaa/pipeline/request.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../../../../src/radius/attribute.ts";
import { contextOf, DICTIONARY, login } from "../../../../support/module-rig.ts";

type Input = Parameters<typeof restSettings.parse>[0];

/** What authorize sends for a request. */
function rendered(call: object, attributes: readonly Attribute[], headers: Record<string, string> = {}, base = "/") {
  const input = { url: "http://127.0.0.1", authorize: call } as Input;
  const settings = restSettings.parse(input).authorize;
  if (settings === undefined) throw new Error("no call");
  const request = new PipelineRequest(contextOf(attributes), DICTIONARY);
  return new Rendering(settings, base, headers).render(request, DICTIONARY);
}

const user = (name: string) => [textAttribute(1, name)];
const CALLING = textAttribute(31, "AA-BB-CC-00-00-01");

describe("Rendering, the path", () => {
  it.each([
    ["/u/%{User-Name}", "bob", "/u/bob"],
    [
      "/u/%{User-Name}?x=%{user-name}",
      "a/b?c&d=e#f g%",
      "/u/a%2Fb%3Fc%26d%3De%23f%20g%25?x=a%2Fb%3Fc%26d%3De%23f%20g%25",
    ],
    ["/u/%{User-Name}", "bö", "/u/b%C3%B6"],
    ["/u?n=%{User-Name}", "..", "/u?n=.."],
    ["/u/x%{User-Name}", "..", "/u/x.."],
    ["/u/%{Absent:-nobody}/%{Called-Station-Id}", "bob", "/u/nobody/"],
    ["/%{Realm}/%{Stripped-User-Name}", "bob@example@net", "/net/bob%40example"],
  ])("%s of %s is %s", (uri, name, path) => {
    expect(rendered({ uri }, user(name))).toMatchObject({ path });
  });

  it.each([".", "..", "%2e%2E", "%2e."])("a step %j that leads elsewhere is no path", (step) => {
    expect(rendered({ uri: "/u/%{User-Name}/x" }, user(".."))).toBe("invalid");
    expect(rendered({ uri: `/u/${step}/%{User-Name}` }, user("bob"))).toBe("invalid");
  });

  it("stands behind that of the url", () => {
    expect(rendered({ uri: "/u" }, [], {}, "/api/v1/")).toMatchObject({ path: "/api/v1/u" });
  });
});

describe("Rendering, the body", () => {
  const QUOTES = 'a","admin":"1';

  it("of JSON has values that can not change its shape, also where data is text", () => {
    const expected = JSON.stringify({ u: QUOTES, n: { list: ["x", 1, true, null, `<${QUOTES}>`] } });
    const data = { u: "%{User-Name}", n: { list: ["x", 1, true, null, "<%{User-Name}>"] } };
    expect(rendered({ uri: "/", body: "json", data }, user(QUOTES))).toMatchObject({ body: expected });
    expect(rendered({ uri: "/", body: "json", data: JSON.stringify(data) }, user(QUOTES))).toMatchObject({
      body: expected,
      headers: { "content-type": "application/json" },
    });
  });

  it("of a form is escaped", () => {
    expect(rendered({ uri: "/", body: "post", data: { "u&": "%{User-Name}", n: 1 } }, user("a&b=c d"))).toMatchObject({
      body: "u%26=a%26b%3Dc%20d&n=1",
      headers: { "content-type": "application/x-www-form-urlencoded" },
    });
  });

  it("without data has every attribute as rlm_rest writes them, but not those of the hop", () => {
    const attributes = [
      ...login("bob", "secret"),
      integerAttribute(61, 19),
      textAttribute(18, "one"),
      textAttribute(18, "two"),
      textAttribute(33, "proxy"),
      { type: 4, value: Buffer.from([192, 0, 2, 1]) },
    ];
    const json = rendered({ uri: "/", body: "json" }, attributes);
    expect(JSON.parse((json as { body: string }).body)).toEqual({
      "User-Name": { type: "string", value: ["bob"] },
      "User-Password": { type: "string", value: ["secret"] },
      "NAS-Port-Type": { type: "integer", value: ["Wireless-802.11"] },
      "Reply-Message": { type: "string", value: ["one", "two"] },
      "NAS-IP-Address": { type: "ipaddr", value: ["192.0.2.1"] },
    });
    expect(rendered({ uri: "/", body: "post" }, attributes)).toMatchObject({
      body: "User-Name=bob&User-Password=secret&NAS-Port-Type=Wireless-802.11&Reply-Message=one&Reply-Message=two&NAS-IP-Address=192.0.2.1",
    });
  });

  it("of none is none", () => {
    expect(rendered({ method: "get", uri: "/" }, user("bob"))).toEqual({
      method: "GET",
      path: "/",
      headers: {},
      body: undefined,
    });
  });
});

describe("Rendering, passwords", () => {
  const CALL = { uri: "/", body: "json", data: { p: "%{User-Password}" } };

  it("asks nothing where the request has no password to ask about", () => {
    expect(rendered(CALL, user("bob"))).toBe("nothing");
    expect(rendered({ ...CALL, data: { p: "%{User-Password:-}" } }, user("bob"))).toMatchObject({ body: '{"p":""}' });
    expect(rendered(CALL, login("bob", "s\u00e9"))).toMatchObject({ body: '{"p":"s\u00e9"}' });
  });

  it("tells nobody what else is hidden with the secret", () => {
    const tunnel = { type: 69, value: Buffer.alloc(19, 1) };
    expect(rendered({ uri: "/%{Tunnel-Password}", body: "json" }, [tunnel])).toMatchObject({ path: "/", body: "{}" });
  });

  it("has CHAP with its challenge, the Request Authenticator where no attribute has it (RFC 2865 Section 5.40)", () => {
    const chap = { type: 3, value: Buffer.alloc(17, 1) };
    const call = { uri: "/", body: "json", data: { c: "%{CHAP-Password}", h: "%{CHAP-Challenge}" } };
    expect(rendered(call, [chap])).toMatchObject({ body: `{"c":"0x${"01".repeat(17)}","h":"0x${"07".repeat(16)}"}` });
    const challenge = { type: 60, value: Buffer.alloc(8, 2) };
    expect(rendered(call, [chap, challenge])).toMatchObject({
      body: expect.stringContaining(`"h":"0x${"02".repeat(8)}"`),
    });
  });
});

describe("Rendering, headers", () => {
  it("has those of the instance and over them those of the call, and no value begins a header of its own", () => {
    const call = { uri: "/", headers: { "x-two": "%{User-Name}" } };
    expect(rendered(call, user("a\r\nX-Evil: 1\u{1f600}"), { "X-One": "1", "X-Two": "2" })).toMatchObject({
      headers: { "x-one": "1", "x-two": expect.stringMatching(/^[\x20-\x7e]+$/) },
    });
  });

  it("tells facts of the request that are no attributes", () => {
    const data = {
      t: "%{Packet-Type}",
      r: "%{reply:Packet-Type}",
      a: "%{Packet-Src-IP-Address}",
      m: "%{request:Calling-Station-Id}",
    };
    expect(rendered({ uri: "/", body: "json", data }, [CALLING])).toMatchObject({
      body: JSON.stringify({ t: "Access-Request", r: "Access-Accept", a: "192.0.2.1", m: "AA-BB-CC-00-00-01" }),
    });
  });
});
