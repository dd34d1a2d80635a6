import { describe, expect, it } from "vitest";
import { assertSendable, isAuthorizeOnly } from "../../../src/dynauth/request-rules.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../../src/radius/attribute.ts";

const USER = textAttribute(1, "nemo");
const NAS = textAttribute(32, "nas-07");
const STATE = textAttribute(24, "opaque");
const AUTHORIZE_ONLY = integerAttribute(6, 17);
const vendor = (number: number, type: number): Attribute => ({
  type: 26,
  value: Buffer.concat([integerAttribute(1, number).value, Buffer.from([type, 4, 1, 2])]),
});

describe("assertSendable()", () => {
  it.each<{ name: string; code: number; attributes: Attribute[]; force?: boolean; error: string | undefined }>([
    { name: "RC-09 a Disconnect with User-Name", code: 40, attributes: [USER], error: undefined },
    { name: "RC-10 a Disconnect with only the NAS", code: 40, attributes: [NAS], error: "ERR_UNDER_SPECIFIED" },
    { name: "RC-10 the same, forced", code: 40, attributes: [NAS], force: true, error: undefined },
    { name: "RC-10 a Disconnect with nothing", code: 40, attributes: [], error: "ERR_UNDER_SPECIFIED" },
    {
      name: "RC-10 everybody on one access point",
      code: 40,
      attributes: [textAttribute(30, "AP")],
      error: "ERR_UNDER_SPECIFIED",
    },
    { name: "a Disconnect with Acct-Session-Id", code: 40, attributes: [textAttribute(44, "s1")], error: undefined },
    { name: "a Disconnect with Framed-IP-Address", code: 40, attributes: [integerAttribute(8, 1)], error: undefined },
    { name: "RC-11 a VSA that identifies the acct session", code: 40, attributes: [vendor(9, 1)], error: undefined },
    {
      name: "RC-11 Reply-Message and Class beside it",
      code: 40,
      attributes: [USER, textAttribute(18, "bye"), textAttribute(25, "c")],
      error: undefined,
    },
    {
      name: "RC-11 Filter-Id",
      code: 40,
      attributes: [USER, textAttribute(11, "f")],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "RC-11 Filter-Id, forced",
      code: 40,
      attributes: [USER, textAttribute(11, "f")],
      force: true,
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    { name: "RC-11 Service-Type", code: 40, attributes: [USER, AUTHORIZE_ONLY], error: "ERR_ATTRIBUTE_NOT_ALLOWED" },
    { name: "RC-11 State", code: 40, attributes: [USER, STATE], error: "ERR_ATTRIBUTE_NOT_ALLOWED" },
    { name: "a CoA with a new Filter-Id", code: 43, attributes: [USER, textAttribute(11, "f")], error: undefined },
    {
      name: "RC-13 a CoA in which only a VSA could identify",
      code: 43,
      attributes: [vendor(14988, 8)],
      error: "ERR_UNDER_SPECIFIED",
    },
    { name: "RC-12 Authorize-Only with State", code: 43, attributes: [USER, AUTHORIZE_ONLY, STATE], error: undefined },
    {
      name: "RC-12 Authorize-Only without State",
      code: 43,
      attributes: [USER, AUTHORIZE_ONLY],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "RC-12 Authorize-Only with Filter-Id",
      code: 43,
      attributes: [USER, AUTHORIZE_ONLY, STATE, textAttribute(11, "f")],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    { name: "PKT-11 two State", code: 43, attributes: [USER, STATE, STATE], error: "ERR_ATTRIBUTE_NOT_ALLOWED" },
    {
      name: "PKT-11 two Event-Timestamp",
      code: 40,
      attributes: [USER, integerAttribute(55, 1), integerAttribute(55, 2)],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "PKT-11 a Message-Authenticator of the caller's",
      code: 40,
      attributes: [USER, { type: 80, value: Buffer.alloc(16) }],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "CRY-16 User-Password in a CoA",
      code: 43,
      attributes: [USER, textAttribute(2, "x".repeat(16))],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "CRY-16 Tunnel-Password in a CoA",
      code: 43,
      attributes: [USER, textAttribute(69, "x")],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    {
      name: "CRY-16 MS-MPPE-Send-Key in a CoA",
      code: 43,
      attributes: [USER, vendor(311, 16)],
      error: "ERR_ATTRIBUTE_NOT_ALLOWED",
    },
    { name: "another code is the caller's business", code: 1, attributes: [], error: undefined },
  ])("$name -> $error", ({ code, attributes, force, error }) => {
    const run = () => assertSendable(code, attributes, force === true);
    if (error === undefined) expect(run).not.toThrow();
    else expect(run).toThrow(expect.objectContaining({ code: error }));
  });

  it("RC-12 isAuthorizeOnly() is true for Service-Type 17 only", () => {
    expect(isAuthorizeOnly([AUTHORIZE_ONLY])).toBe(true);
    expect(isAuthorizeOnly([integerAttribute(6, 2)])).toBe(false);
    expect(isAuthorizeOnly([{ type: 6, value: Buffer.from([17]) }])).toBe(false);
  });
});
