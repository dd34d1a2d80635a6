import { type Attribute, ATTRIBUTE, attribute, integerAttribute } from "../radius/attribute.ts";
import { CODE } from "../radius/codes.ts";
import type { RequestHandler } from "../transport/link.ts";

const ORIGINAL_PACKET_CODE = 4;
const UNSUPPORTED_EXTENSION = 406;

/** Answers for a hub that serves no AAA: nobody is let in, and nothing is acknowledged that is not stored (invariant 6).
 *  A Disconnect- or CoA-Request that a peer sends is not wanted here either (PE-01, PE-05). Over UDP old routers take a
 *  Protocol-Error for garbage, so they hear nothing (PE-06). */
export const answerUnserved: RequestHandler = ({ packet, link }) => {
  if (packet.code === CODE.accessRequest) return { kind: "reply", code: CODE.accessReject, attributes: [] };
  if (link.kind === "udp") return { kind: "discard", reason: "not-served" };
  const attributes = protocolErrorAttributes(packet.code, UNSUPPORTED_EXTENSION);
  return { kind: "reply", code: CODE.protocolError, attributes };
};

/** Original-Packet-Code (241.4) and Error-Cause, which every Protocol-Error has (PE-02, RFC 7930 Section 4). */
export function protocolErrorAttributes(requestCode: number, errorCause: number): Attribute[] {
  const original = Buffer.from([ORIGINAL_PACKET_CODE, 0, 0, 0, requestCode]);
  return [attribute(ATTRIBUTE.extended1, original), integerAttribute(ATTRIBUTE.errorCause, errorCause)];
}
