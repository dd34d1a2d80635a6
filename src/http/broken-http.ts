import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import type { Random } from "../clock.ts";
import { PROBLEMS, type Problem, type ProblemCode, problemJson } from "./problem.ts";

const BY_PARSER: Readonly<Record<string, ProblemCode>> = {
  HPE_HEADER_OVERFLOW: "headers-too-large",
  ERR_HTTP_REQUEST_TIMEOUT: "request-timeout",
};

const DETAILS: Partial<Record<ProblemCode, string>> = {
  "headers-too-large": "the header section may have at most 16384 octets",
  "request-timeout": "the request did not arrive in time",
};

/** Answers octets that are no HTTP request, or came too slowly, and closes. */
export function answerBrokenHttp(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === "ECONNRESET" || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = BY_PARSER[error.code ?? ""] ?? "malformed-request";
  const status = PROBLEMS[code][0];
  const body = brokenBody(code, "");
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

/** The answer to a request whose Host or target cannot be read. */
export function unreadableRequest(random: Random): Response {
  const body = brokenBody("malformed-request", random.bytes(12).toString("base64url"));
  return new Response(body, { status: 400, headers: { "Content-Type": "application/problem+json" } });
}

function brokenBody(code: ProblemCode, requestId: string): string {
  const problem: Problem = { code, detail: DETAILS[code] ?? "this is no HTTP request that can be read", facts: {} };
  return JSON.stringify(problemJson(problem, requestId));
}
