import { describe, expect, it } from "vitest";
import { ntHash } from "../../src/aaa/mschap/nt-hash.ts";
import { type Attribute, ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { encodeVendorSpecific } from "../../src/radius/vendor.ts";
import type { User } from "../../src/store/user-types.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { CHECK_TOKEN, CompatHub, DJANGO_TOKEN, ORGANIZATION } from "../support/compat-hub.ts";
import { countCryptoWork, type CryptoWork } from "../support/crypto-work.ts";
import { hashedPassword } from "../support/hashed-passwords.ts";
import { RawNas } from "../support/raw-nas.ts";
import { userRecord } from "../support/user-records.ts";

const PASSWORD = "wonderland";
const WRONG = "a guess";
const AUTHENTICATOR = Buffer.alloc(16, 7);
const DAY_MS = 86_400_000;

/** Everybody whom a guesser could tell apart. */
async function people(): Promise<readonly User[]> {
  const hashed = await hashedPassword(PASSWORD);
  const nt = ntHash(Buffer.from(PASSWORD)).toString("hex");
  return [
    userRecord("hashed", { password: hashed }),
    withPassword("clear", PASSWORD),
    userRecord("nt", { password: { kind: "nt-hash", secret: nt } }),
    userRecord("blank"),
    userRecord("disabled", { password: hashed, disabled: true }),
    withPassword("clear-disabled", PASSWORD, { disabled: true }),
    userRecord("expired", { password: hashed, validUntilMs: 1_000 }),
    userRecord("early", { password: hashed, validFromMs: Date.now() + DAY_MS }),
  ];
}
const PEOPLE = ["hashed", "clear", "nt", "blank", "disabled", "clear-disabled", "expired", "early"];

const of = (type: number, value: Buffer): Attribute => ({ type, value });
const ms = (type: number, value: Buffer) => encodeVendorSpecific({ vendor: 311, subAttributes: [{ type, value }] });
const msResponse = Buffer.alloc(50);
msResponse[1] = 1;

/** A wrong password, by every method. */
const GUESSES: Readonly<Record<string, readonly Attribute[]>> = {
  PAP: [of(ATTRIBUTE.userPassword, hideUserPassword(Buffer.from(WRONG), RADSEC_SECRET, AUTHENTICATOR))],
  CHAP: [of(ATTRIBUTE.chapPassword, Buffer.alloc(17)), of(ATTRIBUTE.chapChallenge, Buffer.alloc(16))],
  "MS-CHAP": [ms(11, Buffer.alloc(8)), ms(1, msResponse)],
  "MS-CHAPv2": [ms(11, Buffer.alloc(16)), ms(25, Buffer.alloc(50))],
};

/** A hub that holds nobody up, and a router behind TLS. */
async function hotspot() {
  const hub = await CompatHub.start({
    users: await people(),
    compat: "userTokens: true",
    yaml: `
radsec: [{ address: 127.0.0.1, port: 0, rejectDelay: { min: 1s, max: 1s } }]
users: { guesses: { user: 0, mac: 0, source: 0 } }`,
  });
  const nas = await RawNas.dial(hub.running.radsecPort, await hub.running.credentials("edge-1"));
  await nas.register("edge-1");
  let identifier = 0;
  /** Everybody at the same time, for a Reject is late on purpose. @returns what each heard: codes and attributes by length, since the
   *  octets of MS-CHAP-Error hold a random challenge */
  const guessAll = async (names: readonly string[], attributes: readonly Attribute[]) => {
    const first = nas.received.length;
    for (const name of names) {
      identifier += 1;
      const who = [textAttribute(ATTRIBUTE.userName, name), textAttribute(ATTRIBUTE.nasIdentifier, "edge-1")];
      nas.send(encodeRequest(CODE.accessRequest, identifier, [...who, ...attributes], AUTHENTICATOR, RADSEC_SECRET));
    }
    const replies = await Promise.all(names.map((_, index) => nas.packet(first + index)));
    return replies.map(({ code, attributes: told }) => [code, told.map(({ type, value }) => [type, value.length])]);
  };
  return { hub, guessAll };
}

/** What is slow, to the last one; digests of some microseconds, of which a password in clear text or as NT hash takes some more. */
function expectSameWork(work: CryptoWork, reference: CryptoWork, people: number, name: string): void {
  const { hash, timingSafeEqual, ...slow } = work;
  expect(slow, name).toMatchObject({
    argon2: reference.argon2,
    scrypt: reference.scrypt,
    createCipheriv: reference.createCipheriv,
    createHash: reference.createHash,
  });
  expect(Math.abs(hash - reference.hash), name).toBeLessThanOrEqual(QUICK_MAX * people);
  expect(Math.abs(timingSafeEqual - reference.timingSafeEqual), name).toBeLessThanOrEqual(QUICK_MAX * people);
}

const QUICK_MAX = 4;

describe("who guesses a password", () => {
  it.each(Object.entries(GUESSES))(
    "by %s: hears the same and makes the same work for everybody as for nobody",
    async (method, attributes) => {
      const { guessAll } = await hotspot();
      const strangers = PEOPLE.map((_, index) => `nobody-${index}`);
      const work = countCryptoWork();
      const heard = await guessAll(strangers, attributes);
      const reference = work.take();
      expect(reference.argon2).toBe(method === "PAP" ? strangers.length : 0);
      expect(await guessAll(PEOPLE, attributes)).toEqual(heard);
      expect(new Set(heard.map((each) => JSON.stringify(each))).size).toBe(1);
      expectSameWork(work.take(), reference, PEOPLE.length, method);
    },
  );

  it.each([
    { path: "/api/auth/radius-check", authorization: `Bearer ${CHECK_TOKEN}`, status: 401 },
    { path: "/api/v1/authorize/", authorization: `Bearer ${DJANGO_TOKEN}`, status: 200 },
    {
      path: "/api/v1/freeradius/authorize/",
      authorization: `Bearer ${ORGANIZATION.uuid} ${ORGANIZATION.token}`,
      status: 200,
    },
    { path: "/api/v1/account/token/", authorization: undefined, status: 400 },
  ])("over $path: the same, person by person", async ({ path, authorization, status }) => {
    const { hub } = await hotspot();
    const work = countCryptoWork();
    const guess = async (username: string) => {
      work.take();
      const answer = await hub.call(path, { body: { username, password: WRONG }, authorization });
      return { heard: [answer.status, answer.text], work: work.take() };
    };
    const reference = await guess("nobody");
    expect(reference).toMatchObject({ heard: [status, expect.any(String)], work: { argon2: 1 } });
    for (const name of PEOPLE) {
      const { heard, work: done } = await guess(name);
      expect(heard, name).toEqual(reference.heard);
      expectSameWork(done, reference.work, 1, name);
    }
  });
});
