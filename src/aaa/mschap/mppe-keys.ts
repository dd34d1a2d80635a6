import { md4Of, sha1Of } from "./digests.ts";

/** Keys of the encryption between peer and NAS, 16 octets each, as the NAS uses them. */
export interface MppeKeys {
  readonly send: Buffer;
  readonly receive: Buffer;
}

const KEY_BYTES = 16;
const PAD_1 = Buffer.alloc(40);
const PAD_2 = Buffer.alloc(40, 0xf2);

// The texts of RFC 3079 Section 3.4, octet by octet.
const MAGIC_MASTER = Buffer.from("This is the MPPE Master Key", "latin1");
/** On the side of the peer the send key, so the NAS receives with it. */
const MAGIC_PEER_SENDS = Buffer.from(
  "On the client side, this is the send key; on the server side, it is the receive key.",
  "latin1",
);
const MAGIC_NAS_SENDS = Buffer.from(
  "On the client side, this is the receive key; on the server side, it is the send key.",
  "latin1",
);

/** GetMasterKey (RFC 3079 Section 3.4): 16 octets.
 *  @param ntHash 16 octets @param ntResponse 24 octets */
export function masterKey(ntHash: Buffer, ntResponse: Buffer): Buffer {
  return sha1Of(md4Of(ntHash), ntResponse, MAGIC_MASTER).subarray(0, KEY_BYTES);
}

/** GetAsymmetricStartKey (RFC 3079 Section 3.4) in both directions, for 128 bits. */
export function mppeKeys(ntHash: Buffer, ntResponse: Buffer): MppeKeys {
  const master = masterKey(ntHash, ntResponse);
  const start = (magic: Buffer) => sha1Of(master, PAD_1, magic, PAD_2).subarray(0, KEY_BYTES);
  return { send: start(MAGIC_NAS_SENDS), receive: start(MAGIC_PEER_SENDS) };
}
