import { describe, expect, it } from "vitest";
import { challengeResponse, ntResponse } from "../../../../src/aaa/mschap/challenge-response.ts";
import { ntHash } from "../../../../src/aaa/mschap/nt-hash.ts";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import type { AaaRequest, ReturnCode } from "../../../../src/aaa/pipeline/types.ts";
import type { KnownUser } from "../../../../src/aaa/users/types.ts";
import { type Attribute, firstValue, textAttribute } from "../../../../src/radius/attribute.ts";
import { decodePlaced } from "../../../../src/radius/attribute-place.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { encodeVendorSpecific, VENDOR_FORMAT_DEFAULT } from "../../../../src/radius/vendor.ts";
import { moduleOf, ModuleRig } from "../../../support/module-rig.ts";
import { userRecord } from "../../../support/user-records.ts";

const MICROSOFT = 311;
const IDENT = 9;
const HASH = ntHash(Buffer.from("20000 leagues"));
const CHALLENGE_1 = Buffer.alloc(8, 3);
const CHALLENGE_2 = Buffer.alloc(16, 4);
const PEER_CHALLENGE = Buffer.alloc(16, 5);
const NEMO = textAttribute(1, "nemo");

const ms = (type: number, value: Buffer): Attribute =>
  encodeVendorSpecific({ vendor: MICROSOFT, subAttributes: [{ type, value }] });

function version1(hash: Buffer, flags = 1): Attribute[] {
  const response = Buffer.concat([Buffer.of(IDENT, flags), Buffer.alloc(24), challengeResponse(CHALLENGE_1, hash)]);
  return [NEMO, ms(11, CHALLENGE_1), ms(1, response)];
}

function version2(hash: Buffer): Attribute[] {
  const exchange = {
    authenticatorChallenge: CHALLENGE_2,
    peerChallenge: PEER_CHALLENGE,
    userName: Buffer.from("nemo"),
  };
  const response = Buffer.concat([Buffer.of(IDENT, 0), PEER_CHALLENGE, Buffer.alloc(8), ntResponse(exchange, hash)]);
  return [NEMO, ms(11, CHALLENGE_2), ms(25, response)];
}

const WRONG = Buffer.alloc(16, 1);

/** Vendor types of Microsoft in a reply. */
const typesOf = (attributes: readonly Attribute[]) =>
  decodePlaced(attributes, () => VENDOR_FORMAT_DEFAULT).map(({ place }) => place.vendorType);

/** The text of MS-CHAP-Error, without its challenge. */
function errorOf(attributes: readonly Attribute[]): string | undefined {
  const error = decodePlaced(attributes, () => VENDOR_FORMAT_DEFAULT).find(
    ({ place }) => place.vendorType === 2,
  )?.value;
  if (error === undefined) return undefined;
  expect(error[0]).toBe(IDENT);
  return error
    .subarray(1)
    .toString()
    .replace(/C=[0-9A-F]{32}/, "C=...");
}

interface Changes {
  readonly disabled?: boolean;
  readonly authorize?: (request: AaaRequest) => void;
  readonly checksimul?: ReturnCode;
}

async function ask(attributes: readonly Attribute[], { disabled = false, authorize, checksimul = "ok" }: Changes = {}) {
  const rig = new ModuleRig();
  const first = moduleOf("first", {
    authorize(request) {
      const user = userRecord("nemo", { disabled });
      request.control.user = { user, values: {}, ntHash: HASH } as unknown as KnownUser;
      request.control.userKnown = true;
      authorize?.(request);
      return "ok";
    },
    checksimul: ({ reply }) => (checksimul === "reject" && reply.set("Reply-Message", "Too many"), checksimul),
  });
  await rig.use([first], {
    authorize: [callOf("first"), callOf("mschap")],
    authenticate: { "ms-chap": [callOf("mschap")] },
    checksimul: [callOf("first")],
  });
  const reply = await rig.ask(attributes);
  if (reply.kind !== "reply") throw new Error(reply.reason);
  const message = firstValue(reply.attributes, 18)?.toString();
  return { code: reply.code, error: errorOf(reply.attributes), message, types: typesOf(reply.attributes) };
}

const WAYS = [
  { version: 1, made: version1, accept: [7, 8, 12] },
  { version: 2, made: version2, accept: [26, 7, 8, 16, 17] },
];

describe.each(WAYS)("MS-CHAPv$version", ({ made, accept }) => {
  it("lets in with its keys, and without an error", async () => {
    expect(await ask(made(HASH))).toEqual({
      code: CODE.accessAccept,
      error: undefined,
      message: undefined,
      types: accept,
    });
  });

  it("says 691 of a wrong password, whatever else is wrong with the user (RFC 2759 Section 6)", async () => {
    const authorize = (request: AaaRequest) => request.refuse("user disabled", "Your account is disabled");
    const { code, error, message, types } = await ask(made(WRONG), { disabled: true, authorize });
    expect(code).toBe(CODE.accessReject);
    expect(error).toBe("E=691 R=0 C=... V=3 M=Authentication failed");
    expect(message).toBeUndefined();
    expect(types).toEqual([2]);
  });

  it("says 647 to who is disabled and knows the password, with the message, and gives no keys", async () => {
    const authorize = (request: AaaRequest) => request.refuse("user disabled", "Your account is disabled");
    const { code, error, message, types } = await ask(made(HASH), { disabled: true, authorize });
    expect(code).toBe(CODE.accessReject);
    expect(error).toBe("E=647 R=0 C=... V=3 M=Your account is disabled");
    expect(message).toBe("Your account is disabled");
    expect(types).toEqual([undefined, 2]);
  });

  it("says 649 to whom something else keeps out", async () => {
    const authorize = (request: AaaRequest) => request.refuse("quota month is used up", "Your quota is used up");
    expect((await ask(made(HASH), { authorize })).error).toBe("E=649 R=0 C=... V=3 M=Your quota is used up");
    expect((await ask(made(HASH), { checksimul: "reject" })).error).toBe("E=649 R=0 C=... V=3 M=Too many");
  });

  it("cuts a message for which the attribute has no room", async () => {
    const authorize = (request: AaaRequest) => request.refuse("closed", "x".repeat(240));
    expect((await ask(made(HASH), { authorize })).error).toBe(`E=649 R=0 C=... V=3 M=${"x".repeat(150)}`);
  });
});

describe("MS-CHAP", () => {
  it.each([
    { what: "MS-CHAP-CPW-1", type: 3 },
    { what: "MS-CHAP-CPW-2", type: 4 },
    { what: "MS-CHAP2-CPW", type: 27 },
  ])("changes no password: $what gets E=709", async ({ type }) => {
    const change = Buffer.concat([Buffer.of(7, IDENT), Buffer.alloc(66)]);
    const { code, error } = await ask([NEMO, ms(11, CHALLENGE_2), ms(type, change)]);
    expect({ code, error }).toEqual({
      code: CODE.accessReject,
      error: "E=709 R=0 C=... V=3 M=Passwords are not changed here",
    });
  });

  it("takes no LM response, and none of a wrong length", async () => {
    expect((await ask(version1(HASH, 0))).code).toBe(CODE.accessReject);
    const [name, challenge, response] = version2(HASH) as [Attribute, Attribute, Attribute];
    for (const length of [0, 1, 49, 51]) {
      expect((await ask([name, challenge, ms(25, Buffer.alloc(length))])).code).toBe(CODE.accessReject);
    }
    expect((await ask([name, ms(11, CHALLENGE_1), response])).code).toBe(CODE.accessReject);
  });
});
