import { createCipheriv } from "node:crypto";
import { md4Of, sha1Of } from "./digests.ts";

/** What the authenticator and the peer of MS-CHAPv2 have exchanged. */
export interface MsChapV2Exchange {
  /** 16 octets. */
  readonly authenticatorChallenge: Buffer;
  /** 16 octets. */
  readonly peerChallenge: Buffer;
  /** As the peer used it: without a domain before "\". */
  readonly userName: Buffer;
}

const MAGIC_SERVER_TO_CLIENT = Buffer.from("Magic server to client signing constant", "latin1");
const MAGIC_MORE = Buffer.from("Pad to make it do more than one iteration", "latin1");

/** ChallengeHash (RFC 2759 Section 8.2): 8 octets. */
export function challengeHash({ authenticatorChallenge, peerChallenge, userName }: MsChapV2Exchange): Buffer {
  return sha1Of(peerChallenge, authenticatorChallenge, userName).subarray(0, 8);
}

/** ChallengeResponse (RFC 2759 Section 8.5), which MS-CHAPv1 has too (RFC 2433 Appendix A.5): 24 octets.
 *  @param challenge 8 octets @param ntHash 16 octets */
export function challengeResponse(challenge: Buffer, ntHash: Buffer): Buffer {
  const padded = Buffer.alloc(21);
  ntHash.copy(padded);
  return Buffer.concat([0, 7, 14].map((offset) => desBlock(challenge, padded.subarray(offset, offset + 7))));
}

/** NT-Response of MS-CHAPv2 (RFC 2759 Section 8.1): 24 octets. */
export function ntResponse(exchange: MsChapV2Exchange, ntHash: Buffer): Buffer {
  return challengeResponse(challengeHash(exchange), ntHash);
}

/** GenerateAuthenticatorResponse (RFC 2759 Section 8.7): "S=" and 40 hexadecimal digits, by which the peer sees that its
 *  authenticator knows the password. */
export function authenticatorResponse(exchange: MsChapV2Exchange, ntHash: Buffer, response: Buffer): string {
  const digest = sha1Of(md4Of(ntHash), response, MAGIC_SERVER_TO_CLIENT);
  const final = sha1Of(digest, challengeHash(exchange), MAGIC_MORE);
  return `S=${final.toString("hex").toUpperCase()}`;
}

/** One block of DES (RFC 2759 Section 8.6). OpenSSL 3 keeps single DES away; EDE with one key thrice is the same.
 *  @param key 7 octets, to which DES wants a parity bit after every seven bits */
export function desBlock(block: Buffer, key: Buffer): Buffer {
  const spread = Buffer.alloc(8);
  for (let index = 0; index < 8; index++) {
    const high = index === 0 ? 0 : (key[index - 1] as number) << (8 - index);
    const low = index === 7 ? 0 : (key[index] as number) >> index;
    spread[index] = (high | low) & 0xfe;
  }
  const cipher = createCipheriv("des-ede3", Buffer.concat([spread, spread, spread]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(block), cipher.final()]);
}
