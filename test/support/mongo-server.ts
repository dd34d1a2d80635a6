import { existsSync, mkdirSync, openSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { MongoClient } from "mongodb";
import { freeTcpPort } from "./free-port.ts";
import { findProgram } from "./program.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Built by .ci/run from test/support/ferretdb. */
const FERRETDB = join(ROOT, "node_modules/.cache/ferretdb");
const ANSWERS_WITHIN_MS = 20_000;

export const NO_MONGO_SERVER = "no MONGODB_URI, no mongod on the PATH, no FerretDB (.ci/run builds it)";

/** A server of MongoDB's wire protocol in another process: MONGODB_URI, else mongod, else FerretDB with SQLite. What it says goes
 *  to var/mongo-server.log. */
export class MongoServer {
  readonly kind: "given" | "mongod" | "ferretdb";
  readonly #uri: string;
  readonly #command: readonly string[];
  readonly #folder: string;
  readonly #databases = new Set<string>();
  #child: ChildProcess | undefined;

  private constructor(kind: MongoServer["kind"], uri: string, command: readonly string[], folder: string) {
    this.kind = kind;
    this.#uri = uri;
    this.#command = command;
    this.#folder = folder;
  }

  static get available(): boolean {
    return process.env["MONGODB_URI"] !== undefined || findProgram("mongod") !== undefined || existsSync(FERRETDB);
  }

  /** Whoever starts it stops it. */
  static async start(): Promise<MongoServer> {
    const given = process.env["MONGODB_URI"];
    if (given !== undefined) return new MongoServer("given", given, [], "");
    const folder = await mkdtemp(join(tmpdir(), "radsec-hub-mongo-"));
    const port = await freeTcpPort();
    const mongod = findProgram("mongod");
    const address = `127.0.0.1:${port}`;
    const words = ["--bind_ip", "127.0.0.1", "--port", String(port), "--dbpath", folder];
    const command = mongod === undefined ? [FERRETDB, address, folder] : [mongod, ...words];
    const kind = mongod === undefined ? "ferretdb" : "mongod";
    const server = new MongoServer(kind, `mongodb://${address}/`, command, folder);
    await server.open();
    return server;
  }

  /** True for a server of ours, which a test may kill. */
  get mortal(): boolean {
    return this.kind !== "given";
  }

  /** The URI of an empty database. */
  freshUri(): string {
    const name = `radsec_hub_test_${process.pid}_${Math.random().toString(36).slice(2, 10)}`;
    this.#databases.add(name);
    const [, before, , options] = /^(mongodb(?:\+srv)?:\/\/[^/]+)(\/[^?]*)?(\?.*)?$/.exec(this.#uri) ?? [];
    return `${before}/${name}${options ?? ""}`;
  }

  /** Comes (back) to its port, with the data that it had. */
  async open(): Promise<void> {
    mkdirSync(join(ROOT, "var"), { recursive: true });
    const log = openSync(join(ROOT, "var/mongo-server.log"), "a");
    const [program = "", ...words] = this.#command;
    this.#child = spawn(program, words, { stdio: ["ignore", log, log] });
    await answers(Number(new URL(this.#uri).port));
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  }

  async stop(): Promise<void> {
    if (this.mortal) {
      await this.kill();
      await rm(this.#folder, { recursive: true, force: true });
      return;
    }
    const mongo = await MongoClient.connect(this.#uri);
    for (const name of this.#databases) await mongo.db(name).dropDatabase();
    await mongo.close();
  }
}

async function answers(port: number): Promise<void> {
  const deadline = Date.now() + ANSWERS_WITHIN_MS;
  while (!(await accepts(port))) {
    if (Date.now() > deadline) throw new Error(`the MongoDB server does not answer; see var/mongo-server.log`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
