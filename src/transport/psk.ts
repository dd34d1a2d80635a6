import { timingSafeEqual } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import type { RefusalReason } from "./refusal.ts";

const INSPECT = Symbol.for("nodejs.util.inspect.custom");

/** RFC 9813 Section 4.1.1 (PSK-03). */
const PSK_BYTES_MIN = 16;
/** What OpenSSL can hold. */
const PSK_BYTES_MAX = 512;
/** RFC 9813 Section 4.2.1 wants a limit from 128 to 1,024 octets (PSK-05); this one is OpenSSL's own in TLS 1.2. */
const IDENTITY_BYTES_MAX = 256;

/** The key of one PSK identity. Not a RADIUS shared secret, and never equal to one (PSK-04). */
export class PskKey {
  readonly octets: Buffer;

  /** @throws {HubError} ERR_SECRET for a key under 16 octets (PSK-03) or over 512 */
  constructor(octets: Uint8Array) {
    if (octets.length < PSK_BYTES_MIN || octets.length > PSK_BYTES_MAX) {
      throw new HubError("ERR_SECRET", `a PSK has ${PSK_BYTES_MIN} to ${PSK_BYTES_MAX} octets, not ${octets.length}`);
    }
    this.octets = Buffer.from(octets);
  }

  equals({ octets }: { readonly octets: Buffer }): boolean {
    return octets.length === this.octets.length && timingSafeEqual(octets, this.octets);
  }

  /** Never the key: an object that ends up in a log or in JSON shows this. */
  toJSON(): string {
    return "[psk]";
  }

  /** The same where console.log, an assertion or a crash shows the object. */
  [INSPECT](): string {
    return "[psk]";
  }
}

/** One identity and its key. A key is for one version of TLS alone (PSK-02). */
export interface PskCredential {
  readonly identity: string;
  readonly key: PskKey;
  readonly tls: PskVersion;
}

export type PskVersion = "TLSv1.2" | "TLSv1.3";

/** Who may offer a PSK from where. */
export interface PskDirectory {
  /** Whether any identity is welcome from an address. */
  takesPskFrom(address: string): boolean;
  /** The credential of an identity at an address. */
  psk(identity: string, address: string): PskCredential | undefined;
}

/** What is wrong with an identity, whoever wrote it (PSK-06); undefined when it can be looked up. */
export function identityFault(identity: string): string | undefined {
  if (identity === "") return "is empty";
  if (Buffer.byteLength(identity) > IDENTITY_BYTES_MAX) return `has more than ${IDENTITY_BYTES_MAX} octets`; // PSK-05
  if (!identity.isWellFormed()) return "is no UTF-8 text";
  if (UNPRINTABLE.test(identity)) return "has control characters";
  return undefined;
}

/** Also what turns the direction of a line in a log, or breaks it. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** The identity that a peer offered in its handshake, and what the hub made of it. An offer proves nothing yet: provenPsk(). */
export type PskOffer =
  | { readonly identity: string; readonly credential: PskCredential }
  | { readonly identity: string; readonly fault: { readonly reason: RefusalReason; readonly detail: string } };

/** Judges an identity before its key is used: the address first, then what the peer claims (PSK-08). */
export function judgePsk(
  clients: PskDirectory,
  identity: string,
  address: string,
  tlsVersion: string | null,
): PskOffer {
  const refused = (reason: RefusalReason, why: string): PskOffer => {
    return { identity, fault: { reason, detail: `PSK identity ${quoted(identity)} ${why}` } };
  };
  if (!clients.takesPskFrom(address)) return refused("not-in-clients", "comes from an address that may offer none");
  const malformed = identityFault(identity); // PSK-06
  if (malformed !== undefined) return refused("unknown-psk-identity", malformed);
  const credential = clients.psk(identity, address);
  if (credential === undefined) return refused("unknown-psk-identity", "is in no entry of `clients` for its address");
  // PSK-02: used with another version, a key that is strong in one could be attacked in the other.
  if (tlsVersion === credential.tls) return { identity, credential };
  return refused("tls-version", `has a key for ${credential.tls} alone`);
}

/** The key that OpenSSL goes on with; null leaves the peer its certificate.
 *
 *  In TLS 1.2 an unknown identity ends as a wrong key does (RFC 4279 Section 2), so that nobody learns which identities there are.
 *  In TLS 1.3 the ticket of a router with a certificate may look like an identity (PSK-11): it must get its full handshake. */
export function pskOctets(offer: PskOffer, tlsVersion: string | null, random: Random): Buffer | null {
  if ("credential" in offer) return offer.credential.key.octets;
  return tlsVersion === "TLSv1.2" ? random.bytes(PSK_BYTES_MIN) : null;
}

/** The credential that a finished handshake has proven.
 *
 *  An offer is not enough: with a suite whose hash is not that of the key, OpenSSL asks for the key, does not use it and goes on
 *  with certificates (measured on Node 24.21). Nor is isSessionReused() enough, which is also true of a ticket (PSK-11), nor
 *  `authorized`, which is about certificates. */
export function provenPsk(offer: PskOffer | undefined, socket: TLSSocket): PskCredential | undefined {
  if (offer === undefined || !("credential" in offer)) return undefined;
  const suite = socket.getCipher().name;
  const used =
    offer.credential.tls === "TLSv1.3"
      ? socket.isSessionReused() && suite.endsWith("_SHA256")
      : suite.startsWith("ECDHE-PSK-");
  return used && socket.getPeerX509Certificate() === undefined ? offer.credential : undefined;
}

/** Whether what a peer has proven is still what its identity stands for. */
export function isCurrentPsk({ identity, key, tls }: PskCredential, clients: PskDirectory, address: string): boolean {
  const now = clients.psk(identity, address);
  return now !== undefined && now.tls === tls && now.key.equals(key);
}

/** Why a handshake with an offer has failed, in words that name the identity (PSK-15).
 *  @returns undefined where the offer has nothing to do with it */
export function pskRefusal(
  offer: PskOffer | undefined,
  reason: RefusalReason,
): { readonly reason: RefusalReason; readonly detail: string } | undefined {
  if (offer === undefined || !AFTER_OFFER.has(reason)) return undefined;
  if ("fault" in offer) return offer.fault;
  const who = `PSK identity ${quoted(offer.identity)}`;
  if (reason === "wrong-psk" || reason === "tls-error") return { reason: "wrong-psk", detail: `${who}: not this key` };
  if (reason !== "no-certificate") return { reason, detail: who };
  return {
    reason: "no-shared-cipher",
    detail: `${who}: its key needs a suite with SHA-256, and none was offered`,
  };
}

/** How a handshake ends whose PSK did not do; after any other reason the peer has gone on with a certificate. */
const AFTER_OFFER: ReadonlySet<RefusalReason> = new Set([
  "no-certificate",
  "wrong-psk",
  "peer-alert",
  "tls-error",
  "handshake-timeout",
  "reset",
]);

const QUOTED_CHARACTERS_MAX = 256;

/** Text of a stranger for a log line: quoted, without control characters, of bounded length. */
function quoted(text: string): string {
  const short = text.length > QUOTED_CHARACTERS_MAX ? `${text.slice(0, QUOTED_CHARACTERS_MAX)}...` : text;
  const escape = (character: string) => `\\u{${(character.codePointAt(0) as number).toString(16)}}`;
  return JSON.stringify(short).replaceAll(new RegExp(UNPRINTABLE, "gu"), escape);
}
