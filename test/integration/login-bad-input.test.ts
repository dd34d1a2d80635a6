import { describe, expect, it } from "vitest";
import { ntHash } from "../../src/aaa/mschap/nt-hash.ts";
import { type Attribute, ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { encodeVendorSpecific } from "../../src/radius/vendor.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { RunningHub } from "../support/running-hub.ts";
import { UdpHost } from "../support/udp-fixture.ts";
import { userRecord } from "../support/user-records.ts";

const SECRET = new SharedSecret("a secret of the login tests");
const PASSWORD = "wonderland";
const AUTHENTICATOR = Buffer.alloc(16, 7);
const NAS = textAttribute(ATTRIBUTE.nasIdentifier, "nas-07");
const ALICE = textAttribute(ATTRIBUTE.userName, "alice");

const zeros = (length: number) => Buffer.alloc(length);
const of = (type: number, value: Buffer): Attribute => ({ type, value });
const hidden = (password: string) =>
  of(ATTRIBUTE.userPassword, hideUserPassword(Buffer.from(password), SECRET, AUTHENTICATOR));
/** User-Password of so many hidden octets, which nobody checks. */
const hiddenOctets = (length: number) => of(ATTRIBUTE.userPassword, Buffer.alloc(length, 0xa5));
const chap = (length: number) => of(ATTRIBUTE.chapPassword, zeros(length));
const chapChallenge = (length: number) => of(ATTRIBUTE.chapChallenge, zeros(length));
const ms = (type: number, value: Buffer) => encodeVendorSpecific({ vendor: 311, subAttributes: [{ type, value }] });
const msChallenge = (length: number) => ms(11, zeros(length));
const msResponse = (length: number, flags = 1) => {
  const value = zeros(length);
  if (length > 1) value[1] = flags;
  return ms(1, value);
};
const ms2Response = (length: number) => ms(25, zeros(length));

/** What no honest router sends; none of it lets anybody in, and each gets a Reject at the most. */
const REQUESTS: Readonly<Record<string, readonly Attribute[]>> = {
  "no password of any kind": [ALICE],
  "User-Password of 15 octets": [ALICE, hiddenOctets(15)],
  "User-Password of 17 octets": [ALICE, hiddenOctets(17)],
  "User-Password of 144 octets": [ALICE, hiddenOctets(144)],
  "User-Password of 129 octets": [ALICE, hiddenOctets(129)],
  "User-Password of 253 octets": [ALICE, hiddenOctets(253)],
  "User-Password of 16 octets hidden with another secret": [ALICE, hiddenOctets(16)],
  "User-Password of nothing but padding": [ALICE, hidden("")],
  "User-Password with a NUL within": [ALICE, hidden("wonder\0land")],
  "User-Password that is the right one with more behind a NUL": [ALICE, hidden(`${PASSWORD}\0x`)],
  "User-Password twice, the second one right": [ALICE, hidden("wrong"), hidden(PASSWORD)],
  "User-Password and CHAP-Password": [ALICE, hidden(PASSWORD), chap(17)],
  "CHAP-Password of no octets": [ALICE, chap(0)],
  "CHAP-Password of 16 octets": [ALICE, chap(16), chapChallenge(16)],
  "CHAP-Password of 18 octets": [ALICE, chap(18), chapChallenge(16)],
  "CHAP-Challenge of no octets": [ALICE, chap(17), chapChallenge(0)],
  "CHAP-Challenge of 253 octets": [ALICE, chap(17), chapChallenge(253)],
  "CHAP-Challenge alone": [ALICE, chapChallenge(16)],
  "MS-CHAP-Challenge alone": [ALICE, msChallenge(16)],
  "MS-CHAP2-Response alone": [ALICE, ms2Response(50)],
  "MS-CHAP2-Response of no octets": [ALICE, msChallenge(16), ms2Response(0)],
  "MS-CHAP2-Response of 49 octets": [ALICE, msChallenge(16), ms2Response(49)],
  "MS-CHAP2-Response of 51 octets": [ALICE, msChallenge(16), ms2Response(51)],
  "MS-CHAP2-Response of zeros": [ALICE, msChallenge(16), ms2Response(50)],
  "MS-CHAP-Challenge of no octets": [ALICE, msChallenge(0), ms2Response(50)],
  "MS-CHAP-Challenge of 15 octets": [ALICE, msChallenge(15), ms2Response(50)],
  "MS-CHAP-Challenge of 8 octets for MS-CHAPv2": [ALICE, msChallenge(8), ms2Response(50)],
  "MS-CHAP-Response of no octets": [ALICE, msChallenge(8), msResponse(0)],
  "MS-CHAP-Response that asks for LM": [ALICE, msChallenge(8), msResponse(50, 0)],
  "MS-CHAP-Response of zeros": [ALICE, msChallenge(8), msResponse(50)],
  "MS-CHAP-Response with 16 octets of challenge": [ALICE, msChallenge(16), msResponse(50)],
  "a Microsoft attribute cut short": [ALICE, of(26, Buffer.from([0, 0, 1, 55, 25, 60, 1])), msChallenge(16)],
  "no User-Name": [hidden(PASSWORD)],
  "an empty User-Name": [of(ATTRIBUTE.userName, zeros(0)), hidden(PASSWORD)],
  "a User-Name with a NUL behind it": [textAttribute(ATTRIBUTE.userName, "alice\0"), hidden(PASSWORD)],
  "a User-Name in another case": [textAttribute(ATTRIBUTE.userName, "Alice"), hidden(PASSWORD)],
  "a User-Name with a space behind it": [textAttribute(ATTRIBUTE.userName, "alice "), hidden(PASSWORD)],
  "a User-Name in its hexadecimal form": [textAttribute(ATTRIBUTE.userName, "0x616c696365"), hidden(PASSWORD)],
  "a User-Name that is no UTF-8": [of(ATTRIBUTE.userName, Buffer.from([0xff, 0xfe])), hidden(PASSWORD)],
  "a User-Name of 253 octets": [of(ATTRIBUTE.userName, Buffer.alloc(253, 0x61)), hidden(PASSWORD)],
  "__proto__ as User-Name": [textAttribute(ATTRIBUTE.userName, "__proto__"), hidden(PASSWORD)],
  "EAP-Message, and nobody to pass it on to": [ALICE, of(79, Buffer.from("0201000a01616c696365", "hex"))],
  "EAP-Message of no octets": [ALICE, of(79, zeros(0))],
  "EAP-Message beside the right password of another": [
    textAttribute(ATTRIBUTE.userName, "nobody"),
    hidden(PASSWORD),
    of(79, Buffer.from("0201000a01616c696365", "hex")),
  ],
  "the name of a user without a password": [textAttribute(ATTRIBUTE.userName, "blank"), hidden("")],
  "CHAP for a user without a password": [textAttribute(ATTRIBUTE.userName, "blank"), chap(17), chapChallenge(16)],
  "MS-CHAPv2 for a user without a password": [
    textAttribute(ATTRIBUTE.userName, "blank"),
    msChallenge(16),
    ms2Response(50),
  ],
};

async function hotspot() {
  const running = await RunningHub.start({
    yaml: `
accounting: { enabled: true }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, rejectDelay: { min: 1s, max: 1s } }]
clients: [{ name: router, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET.octets.toString()} }]
users: { guesses: { user: 0, mac: 0, source: 0 } }`,
  });
  await running.hub.store?.ready(10_000);
  const nt = ntHash(Buffer.from(PASSWORD)).toString("hex");
  for (const user of [
    withPassword("alice", PASSWORD),
    userRecord("ned", { password: { kind: "nt-hash", secret: nt } }),
    userRecord("blank"),
  ])
    await running.hub.store?.users.put(user);
  const router = await UdpHost.open();
  const port = running.addresses.udp.get("legacy")?.[0]?.port ?? 0;
  let identifier = 0;
  const ask = (attributes: readonly Attribute[]) => {
    identifier += 1;
    const octets = encodeRequest(CODE.accessRequest, identifier, [...attributes, NAS], AUTHENTICATOR, SECRET);
    return router.ask(octets, port, { secret: SECRET });
  };
  return { running, ask };
}

describe("what is wrong with a login", () => {
  it("ends in a Reject that says nothing, and the next login is answered", async () => {
    const { running, ask } = await hotspot();
    const answered = async ([name, attributes]: readonly [string, readonly Attribute[]]) => {
      const { code, attributes: told } = await ask(attributes);
      const more = told.filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator);
      return [name, `${codeName(code)} ${more.map(({ type }) => type).join()}`.trim()] as const;
    };
    const answers = Object.fromEntries(await Promise.all(Object.entries(REQUESTS).map(answered)));
    // Message-Authenticator alone, and what MS-CHAP says of any wrong response.
    const isMs = (name: string) => /^MS-CHAP.*zeros|^MS-CHAPv2 for/.test(name);
    const rejects = Object.keys(REQUESTS).map((name) => [name, `Access-Reject${isMs(name) ? " 26" : ""}`]);
    expect(answers).toEqual(Object.fromEntries(rejects));
    // A busy machine holds the loop up; that is nobody's fault here.
    expect(running.eventsOf("module.fault").filter(({ fault }) => fault !== "blocked")).toEqual([]);
    expect((await ask([ALICE, hidden(PASSWORD)])).code).toBe(CODE.accessAccept);
  });
});
