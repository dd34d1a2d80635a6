// A back end in one file: whom it knows, and the call that a router's login comes to. It knows nothing of RADIUS.
//   node back-end.ts            listens on 127.0.0.1:8080
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

interface Guest {
  readonly password: string;
  /** Up and down, as a MikroTik takes them. */
  readonly bandwidth: string;
  /** Seconds. */
  readonly remainingTime: number;
}

const GUESTS: ReadonlyMap<string, Guest> = new Map([
  ["alice", { password: "wonderland", bandwidth: "2M/10M", remainingTime: 3_600 }],
  ["bob", { password: "builder", bandwidth: "512k/2M", remainingTime: 900 }],
  ["carol", { password: "singers", bandwidth: "1M/4M", remainingTime: 0 }],
]);
const TOKEN = process.env["BACK_END_TOKEN"] ?? "only-for-this-example";
const BODY_MAX = 10_000;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, string | number>>;
}

/** POST /api/auth/radius-check {"username", "password", "calling_station_id"} */
function radiusCheck({ username, password }: Readonly<Record<string, unknown>>): Answer {
  const guest = GUESTS.get(String(username));
  if (guest === undefined || guest.password !== password)
    return { status: 401, body: { message: "Wrong name or password" } };
  if (guest.remainingTime <= 0) return { status: 401, body: { message: "Your time is used up" } };
  return { status: 200, body: { bandwidth: guest.bandwidth, remaining_time: guest.remainingTime } };
}

function answerTo(
  method: string | undefined,
  url: string | undefined,
  authorization: string | undefined,
  body: string,
): Answer {
  if (authorization !== `Bearer ${TOKEN}`) return { status: 400, body: { message: "a token is missing" } };
  if (method !== "POST" || url !== "/api/auth/radius-check") return { status: 404, body: {} };
  try {
    return radiusCheck(JSON.parse(body) as Readonly<Record<string, unknown>>);
  } catch {
    return { status: 400, body: { message: "no JSON" } };
  }
}

/** @param tell hears of every call */
export async function startBackEnd(
  port: number,
  tell: (line: string) => void,
): Promise<{ server: Server; port: number }> {
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) if (body.length < BODY_MAX) body += String(chunk);
    const { method, url, headers } = request;
    const answer = answerTo(method, url, headers.authorization, body);
    tell(`${method} ${url}: HTTP ${answer.status} ${JSON.stringify(answer.body)}`);
    response.writeHead(answer.status, { "Content-Type": "application/json" }).end(JSON.stringify(answer.body));
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return { server, port: (server.address() as AddressInfo).port };
}

if (import.meta.main) {
  const { port } = await startBackEnd(8_080, console.log);
  console.log(`http://127.0.0.1:${port}/api/auth/radius-check`);
}
