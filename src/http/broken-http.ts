import type { Duplex } from "node:stream";
import { STATUS_CODES } from "node:http";
import { PROBLEMS, type Problem, problemJson } from "./problem.ts";
import type { RequestIds } from "./request-id.ts";

const UNREADABLE: Problem = {
  code: "malformed-request",
  detail: "this is no HTTP request that can be read",
  facts: {},
};

/** What the parser of node:http calls it. */
const BY_PARSER: Readonly<Record<string, Problem>> = {
  HPE_HEADER_OVERFLOW: {
    code: "headers-too-large",
    detail: "the header section may have at most 16384 octets",
    facts: {},
  },
  ERR_HTTP_REQUEST_TIMEOUT: { code: "request-timeout", detail: "the request did not arrive in time", facts: {} },
  HPE_INVALID_URL: { ...UNREADABLE, detail: "the request target must be ASCII, anything else percent-encoded" },
};

/** Answers octets that are no HTTP request, or came too slowly, and closes. */
export function answerBrokenHttp(requestIds: RequestIds): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  return (error, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) {
      socket.destroy();
      return;
    }
    const problem = BY_PARSER[error.code ?? ""] ?? UNREADABLE;
    const status = PROBLEMS[problem.code][0];
    const body = bodyOf(problem, requestIds);
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: application/problem+json\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      () => socket.destroy(),
    );
  };
}

/** The answer to a request whose Host or target cannot be read. */
export function unreadableRequest(requestIds: RequestIds): Response {
  return new Response(bodyOf(UNREADABLE, requestIds), {
    status: 400,
    headers: { "Content-Type": "application/problem+json" },
  });
}

function bodyOf(problem: Problem, requestIds: RequestIds): string {
  return JSON.stringify(problemJson(problem, requestIds.next()));
}
