import { createHmac } from "node:crypto";

/** The headers by which a receiver knows that a message is from this hub, is as it was, and is not an old one played again. They
 *  are those of Standard Webhooks 1.0: HMAC-SHA-256 over identifier, time and body, joined by full stops. */
export function signatureHeaders(
  secret: string,
  message: { readonly messageId: string; readonly body: string },
  atMs: number,
): Record<"webhook-id" | "webhook-timestamp" | "webhook-signature", string> {
  const timestamp = String(Math.floor(atMs / 1_000));
  const signed = `${message.messageId}.${timestamp}.${message.body}`;
  const signature = createHmac("sha256", keyOf(secret)).update(signed).digest("base64");
  return {
    "webhook-id": message.messageId,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${signature}`,
  };
}

function keyOf(secret: string): Buffer {
  return secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret, "utf8");
}
