import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

/** A request as a back end saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
  /** Port of the connection that it came by. */
  readonly from: number | undefined;
}

export type Answering = (seen: SeenRequest, response: ServerResponse) => void | Promise<void>;

/** Answers with JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answering {
  return (_, response) => {
    response.writeHead(status, { "Content-Type": "application/json", ...headers }).end(JSON.stringify(body));
  };
}

/** Answers with a status and nothing else. */
export function empty(status: number): Answering {
  return (_, response) => void response.writeHead(status).end();
}

/** An HTTP API on a free port that answers as a test says, and remembers what it was asked. */
export class HttpBackEnd {
  readonly seen: SeenRequest[] = [];
  answer: Answering = empty(204);
  readonly #tls: ServerOptions | undefined;
  #server: Server;
  #port = 0;

  private constructor(tls?: ServerOptions) {
    this.#tls = tls;
    this.#server = this.#made();
  }

  /** @param tls for https: */
  static async start(answer?: Answering, tls?: ServerOptions): Promise<HttpBackEnd> {
    const backEnd = new HttpBackEnd(tls);
    if (answer !== undefined) backEnd.answer = answer;
    await backEnd.up();
    onTestFinished(() => backEnd.down());
    return backEnd;
  }

  get origin(): string {
    return `${this.#tls === undefined ? "http" : "https"}://127.0.0.1:${this.#port}`;
  }

  /** Bodies as JSON. */
  get bodies(): readonly unknown[] {
    return this.seen.map(({ body }) => JSON.parse(body) as unknown);
  }

  /** Listens again, on the same port. */
  async up(): Promise<void> {
    this.#server = this.#made();
    this.#server.listen(this.#port, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Refuses connections from now on, and cuts those that are open. */
  async down(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #made(): Server {
    const take = (request: IncomingMessage, response: ServerResponse): void => void this.#take(request, response);
    return this.#tls === undefined ? createServer(take) : createTlsServer(this.#tls, take);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { method = "", url = "", headers, socket } = request;
    const seen = { method, url, headers, body, from: socket.remotePort };
    this.seen.push(seen);
    await this.answer(seen, response);
  }
}
