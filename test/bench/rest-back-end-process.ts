/** An HTTP API that lets everybody in after a few milliseconds, in a process of its own. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerCommands } from "./bench-process.ts";

/** As the back end of seeds/000 answers. */
const ANSWER = JSON.stringify({ bandwidth: "2M/10M", remaining_time: 3_600 });
const HEADERS = { "content-type": "application/json", "content-length": ANSWER.length };

let asked = 0;

async function start({ afterMs }: { readonly afterMs: number }): Promise<number> {
  const server = createServer((request, response) => {
    asked += 1;
    request.resume();
    setTimeout(() => response.writeHead(200, HEADERS).end(ANSWER), afterMs);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

const commands = { start, asked: () => asked };
export type RestBackEndCommands = typeof commands;
answerCommands(commands);
