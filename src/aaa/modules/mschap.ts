import { timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock, Random } from "../../clock.ts";
import { ATTRIBUTE, type Attribute } from "../../radius/attribute.ts";
import { hideMppeKey, hideUserPassword } from "../../radius/hidden.ts";
import { encodeVendorSpecific } from "../../radius/vendor.ts";
import { authenticatorResponse, challengeResponse, ntResponse } from "../mschap/challenge-response.ts";
import { mppeKeys } from "../mschap/mppe-keys.ts";
import { md4Of } from "../mschap/digests.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { type AaaRequest, defineModule } from "../pipeline/types.ts";
import { standingOf } from "../users/standing.ts";
import { attemptLogin } from "./attempt.ts";

/** Microsoft's attributes (RFC 2548 Section 2). */
const MICROSOFT = 311;
const MS = {
  response: 1,
  error: 2,
  changePassword1: 3,
  changePassword2: 4,
  encryptionPolicy: 7,
  encryptionTypes: 8,
  challenge: 11,
  mppeKeys: 12,
  sendKey: 16,
  recvKey: 17,
  response2: 25,
  success2: 26,
  changePassword3: 27,
} as const;

const RESPONSE_BYTES = 50;
const NT_HASH_BYTES = 16;
/** MS-CHAP-Response: the NT-Response is to be used (RFC 2548 Section 2.1.3). LM, which it could ask for instead, is no protection. */
const FLAG_NT = 1;
/** Encryption types of MPPE: 40 and 128 bits (RFC 2548 Section 2.4.5). */
const TYPES_ANY = 6;
const TYPES_STRONG = 4;

/** Of MS-CHAP-Error (RFC 2759 Section 6). 648, which says that the password has expired, would have the peer change it. */
const ERROR = {
  accountDisabled: 647,
  noDialinPermission: 649,
  authenticationFailure: 691,
  changingPassword: 709,
} as const;
/** Of a message for the user, so that the attribute has room for it. */
const MESSAGE_BYTES_MAX = 150;

const settings = z.strictObject({
  mppe: z.boolean().default(true).meta({ description: "Whether keys for MPPE go into the Access-Accept." }),
  requireEncryption: z.boolean().default(false).meta({ description: "Whether the NAS must encrypt." }),
  requireStrong: z.boolean().default(false).meta({ description: "Whether only keys of 128 bits will do." }),
});

/** MS-CHAPv2 (RFC 2759) and, without LM, MS-CHAPv1 (RFC 2433). It needs the password in clear text or as NT hash, and does not
 *  change it. */
export const mschap = defineModule({
  name: "mschap",
  settings,
  components: () => ["authorize", "authenticate"],
  instantiate(options, services) {
    const decoy = services.random.bytes(NT_HASH_BYTES);
    return {
      authorize(request) {
        const { control } = request;
        if (control.authType !== undefined || control.proxyTo !== undefined) return "noop";
        if (request.octets(ATTRIBUTE.vendorSpecific, MICROSOFT, MS.challenge) === undefined) return "noop";
        if (responseOf(request) === undefined && changeOf(request) === undefined) return "noop";
        control.authType = "MS-CHAP";
        return "ok";
      },
      async authenticate(request) {
        const change = changeOf(request);
        if (change !== undefined) return unchanged(request, change, services.random);
        const known = knownHash(request);
        const proof = proofOf(request, known ?? decoy);
        if (proof === undefined) return "invalid";
        const isRight = timingSafeEqual(proof.expected, proof.given) && known !== undefined;
        const code = await attemptLogin(request, services, () => (isRight ? "match" : "mismatch"));
        const fail = (error: number, message?: string) => failed(proof.ident, services.random, error, message);
        if (code === "reject") request.reply.push([fail(ERROR.authenticationFailure)]);
        if (code !== "ok") return code;
        request.reply.push(accepted(request, proof, options, services.random));
        request.ifRejected((message) => [fail(refusalOf(request, services.clock), message)]);
        return code;
      },
    };
  },
});

/** The peer wants to have its password changed (RFC 2548 Section 2.1.6, 2.1.7, 2.3.4): nobody can here, and it hears so. */
function changeOf(request: AaaRequest): Buffer | undefined {
  for (const type of [MS.changePassword3, MS.changePassword2, MS.changePassword1]) {
    const change = request.octets(ATTRIBUTE.vendorSpecific, MICROSOFT, type);
    if (change !== undefined) return change;
  }
  return undefined;
}

function unchanged(request: AaaRequest, change: Buffer, random: Random): "reject" {
  request.control.rejectReason = "passwords can not be changed by MS-CHAP";
  // Octets: code, identifier, ...
  request.reply.push([failed(change[1] ?? 0, random, ERROR.changingPassword, "Passwords are not changed here")]);
  return "reject";
}

/** Why somebody with the right password does not get in. */
function refusalOf({ control }: AaaRequest, clock: Clock): number {
  const isValid = control.user === undefined || standingOf(control.user.user, clock.wallMs()) === "valid";
  return isValid ? ERROR.noDialinPermission : ERROR.accountDisabled;
}

/** What the peer sent, and what it ought to be. */
interface Proof {
  readonly version: 1 | 2;
  readonly ident: number;
  readonly ntHash: Buffer;
  readonly given: Buffer;
  readonly expected: Buffer;
  /** Of MS-CHAPv2: "S=…", by which the peer knows that its authenticator knows the password. */
  readonly success: string;
}

function knownHash({ control }: AaaRequest): Buffer | undefined {
  const { password, user } = control;
  if (password === undefined) return user?.ntHash;
  return password.kind === "nt-hash" ? password.octets : ntHash(password.octets);
}

function responseOf(request: AaaRequest): { readonly version: 1 | 2; readonly octets: Buffer } | undefined {
  const second = request.octets(ATTRIBUTE.vendorSpecific, MICROSOFT, MS.response2);
  if (second !== undefined) return { version: 2, octets: second };
  const first = request.octets(ATTRIBUTE.vendorSpecific, MICROSOFT, MS.response);
  return first === undefined ? undefined : { version: 1, octets: first };
}

/** Undefined for attributes of a wrong length, and for LM. */
function proofOf(request: AaaRequest, hash: Buffer): Proof | undefined {
  const challenge = request.octets(ATTRIBUTE.vendorSpecific, MICROSOFT, MS.challenge);
  const response = responseOf(request);
  if (challenge === undefined || response?.octets.length !== RESPONSE_BYTES) return undefined;
  const { version, octets } = response;
  const ident = octets[0] as number;
  const given = octets.subarray(26, RESPONSE_BYTES);
  if (version === 1) {
    if (challenge.length !== 8 || octets[1] !== FLAG_NT) return undefined;
    return { version, ident, ntHash: hash, given, expected: challengeResponse(challenge, hash), success: "" };
  }
  if (challenge.length !== 16) return undefined;
  const exchange = {
    authenticatorChallenge: challenge,
    peerChallenge: octets.subarray(2, 18),
    userName: withoutDomain(request.octets(ATTRIBUTE.userName) ?? Buffer.alloc(0)),
  };
  const expected = ntResponse(exchange, hash);
  return { version, ident, ntHash: hash, given, expected, success: authenticatorResponse(exchange, hash, expected) };
}

/** RFC 2759 Section 4: the name in the challenge is without its domain. */
function withoutDomain(userName: Buffer): Buffer {
  return userName.subarray(userName.indexOf("\\") + 1);
}

function accepted(
  request: AaaRequest,
  proof: Proof,
  { mppe, requireEncryption, requireStrong }: z.output<typeof settings>,
  random: Random,
): Attribute[] {
  const attributes: Attribute[] = [];
  if (proof.version === 2) attributes.push(ofMicrosoft(MS.success2, identified(proof.ident, proof.success)));
  if (!mppe) return attributes;
  const { secret } = request.link.client;
  const { authenticator } = request.packet;
  attributes.push(
    ofMicrosoft(MS.encryptionPolicy, number(requireEncryption ? 2 : 1)),
    ofMicrosoft(MS.encryptionTypes, number(requireStrong ? TYPES_STRONG : TYPES_ANY)),
  );
  if (proof.version === 1) {
    // RFC 2548 Section 2.4.1: no LM key, the hash of the NT hash, padding.
    const keys = Buffer.concat([Buffer.alloc(8), md4Of(proof.ntHash), Buffer.alloc(8)]);
    attributes.push(ofMicrosoft(MS.mppeKeys, hideUserPassword(keys, secret, authenticator)));
    return attributes;
  }
  const { send, receive } = mppeKeys(proof.ntHash, proof.given);
  // RFC 2548 Section 2.4.2: the salts of one packet differ.
  const salt = random.bytes(2).readUInt16BE();
  attributes.push(
    ofMicrosoft(MS.sendKey, hideMppeKey(send, salt, secret, authenticator)),
    ofMicrosoft(MS.recvKey, hideMppeKey(receive, salt ^ 1, secret, authenticator)),
  );
  return attributes;
}

/** RFC 2759 Section 6: without the password 691 whatever was wrong; no retry, so that guesses have to come as new requests. */
function failed(ident: number, random: Random, error: number, message = "Authentication failed"): Attribute {
  const challenge = random.bytes(16).toString("hex").toUpperCase();
  const text = Buffer.from(message).subarray(0, MESSAGE_BYTES_MAX);
  return ofMicrosoft(MS.error, Buffer.concat([identified(ident, `E=${error} R=0 C=${challenge} V=3 M=`), text]));
}

function identified(ident: number, text: string): Buffer {
  return Buffer.concat([Buffer.of(ident), Buffer.from(text, "latin1")]);
}

function number(value: number): Buffer {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(value);
  return octets;
}

function ofMicrosoft(type: number, value: Buffer): Attribute {
  return encodeVendorSpecific({ vendor: MICROSOFT, subAttributes: [{ type, value }] });
}
