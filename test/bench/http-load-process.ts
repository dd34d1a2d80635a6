/** Lean HTTP/1.1 callers with keep-alive: one request under way on each connection. node:http would cost more than the hub. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { answerCommands } from "./bench-process.ts";
import { Durations, type Measured, measureWhile } from "./gauge.ts";

export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly forMs: number;
}

const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** Reads answers with a Content-Length, and calls `onAnswer` with the status line of each. */
function readAnswers(socket: Socket, onAnswer: (statusLine: string) => void): void {
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (chunk: string) => {
    text += chunk;
    const head = text.indexOf("\r\n\r\n");
    if (head < 0) return;
    const length = CONTENT_LENGTH.exec(text.slice(0, head))?.[1];
    if (length === undefined) throw new Error(`an answer without Content-Length: ${text.slice(0, head)}`);
    if (text.length < head + 4 + Number(length)) return;
    const statusLine = text.slice(0, text.indexOf("\r\n"));
    text = text.slice(head + 4 + Number(length));
    onAnswer(statusLine);
  });
}

async function drive(load: HttpLoad): Promise<Measured> {
  const durations = new Durations();
  const request = `POST ${load.path} HTTP/1.1\r\nHost: 127.0.0.1:${load.port}\r\nContent-Length: 0\r\n\r\n`;
  let running = true;
  const caller = async (): Promise<void> => {
    const socket = connect(load.port, "127.0.0.1").setNoDelay(true);
    await once(socket, "connect");
    let began = performance.now();
    readAnswers(socket, (statusLine) => {
      if (!statusLine.includes(" 200 ")) throw new Error(statusLine);
      durations.add(performance.now() - began);
      if (!running) return void socket.end();
      began = performance.now();
      socket.write(request);
    });
    socket.write(request);
    await once(socket, "close");
  };
  const callers = Promise.all(Array.from({ length: load.connections }, caller));
  const result = await measureWhile(durations, { ...load, links: 1, inFlight: load.connections });
  running = false;
  await callers;
  return result;
}

const commands = { drive };
export type HttpLoadCommands = typeof commands;
answerCommands(commands);
