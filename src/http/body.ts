import type { IncomingMessage } from "node:http";
import { refusal } from "./problem.ts";

const EMPTY: Buffer = Buffer.alloc(0);

/** The whole body, read without ever holding more than `bytesMax`.
 *  @throws {HubError} ERR_INPUT: body-too-large, malformed-request when it ends early */
export async function readBody(incoming: IncomingMessage, bytesMax: number): Promise<Buffer> {
  const announced = Number(incoming.headers["content-length"] ?? 0);
  if (announced > bytesMax) throw tooLarge(bytesMax);
  if (announced === 0 && incoming.headers["transfer-encoding"] === undefined) return EMPTY;
  if (incoming.destroyed) throw cut();
  const chunks: Buffer[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= bytesMax) chunks.push(chunk);
    else reject(tooLarge(bytesMax));
  };
  const onCut = (): void => {
    if (!incoming.readableEnded) reject(cut());
  };
  incoming.on("data", onData).on("end", resolve).on("error", onCut).on("close", onCut);
  try {
    await promise;
  } finally {
    // What still comes is thrown away by the adapter, and the connection is closed after the answer.
    incoming.off("data", onData).off("end", resolve).off("error", onCut).off("close", onCut);
  }
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
}

function cut(): Error {
  return refusal("malformed-request", "the body ended early");
}

function tooLarge(bytesMax: number): Error {
  return refusal("body-too-large", `the body may have at most ${bytesMax} octets`, { body_bytes_max: bytesMax });
}

export type BodyFormat = "none" | "form" | "json";

/** How a body is to be read. A body without Content-Type is not guessed at.
 *  @throws {HubError} ERR_INPUT: unsupported-media-type */
export function bodyFormat(headers: IncomingMessage["headers"], body: Buffer): BodyFormat {
  if (body.length === 0) return "none";
  const [type = "", ...parameters] = (headers["content-type"] ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const utf8 = charset === undefined || /^"?(?:utf-8|us-ascii)"?$/.test(charset);
  if (encoding === "identity" && utf8) {
    if (type === "application/json" || type.endsWith("+json")) return "json";
    if (type === "application/x-www-form-urlencoded") return "form";
  }
  throw refusal(
    "unsupported-media-type",
    "the body must be application/json or application/x-www-form-urlencoded, in UTF-8 and not compressed",
  );
}
