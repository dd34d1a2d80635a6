import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { BenchProcess } from "./bench-process.ts";
import type { Cost } from "./gauge.ts";
import type { HubCommands } from "./hub-process.ts";
import { StageFolder } from "./stage-folder.ts";
import type { RelayCommands } from "./udp-relay-process.ts";

const TOOLS = join(import.meta.dirname, "../../../shared/tools");
const SCRIPTED_NAS = join(TOOLS, "scripted-nas.cjs");
const RADLOAD = join(TOOLS, "radload.c");
/** Of the one who asks; what goes to the NAS is signed with "radsec". */
const DAC_SECRET = "a-secret-of-the-benchmark";
const RADSEC_SECRET = "radsec";
const REPLY_TIMEOUT_S = 5;
const run = promisify(execFile);

/** What one load looked like to the loader. */
export interface Loaded {
  readonly count: number;
  readonly lost: number;
  readonly acked: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Something that takes Disconnect-Requests over UDP and brings them to NASes over TLS, each in a process of its own. */
export interface UdpPath extends AsyncDisposable {
  readonly node: Pick<BenchProcess<RelayCommands>, "call">;
  load(count: number, inFlight: number): Promise<Loaded & { readonly cost: Cost }>;
  /** Ends the NASes: what they received, and how much of it did not verify. */
  seen(): Promise<{ readonly received: number; readonly bad: number }>;
}

/** Why this machine can not run the loads, or undefined. */
export function missingTool(): string | undefined {
  return [RADLOAD, SCRIPTED_NAS].find((file) => !existsSync(file));
}

/** Loader and NASes that were written apart from the hub; the loader is compiled into a folder that is gone after the run. */
export class UdpStage implements Disposable {
  readonly #folder: StageFolder;
  readonly #profileFolder: string | undefined;
  #hubs = 0;

  private constructor(folder: StageFolder, profileFolder: string | undefined) {
    this.#folder = folder;
    this.#profileFolder = profileFolder;
  }

  static async make(profileFolder: string | undefined): Promise<UdpStage> {
    const folder = await StageFolder.make();
    const nas = await folder.pki.nas("bench-nas");
    folder.write("nas.pem", nas.certificatePem);
    folder.write("nas.key", nas.keyPem);
    await run("cc", ["-O2", "-w", "-o", folder.file("radload"), RADLOAD, "-lcrypto"]);
    return new UdpStage(folder, profileFolder);
  }

  /** A hub as it is shipped, with a line in its log for each exchange.
   *  @param logLevel other than the shipped one */
  async hub(nases: number, logLevel = "info"): Promise<UdpPath> {
    const node = new BenchProcess<HubCommands>("hub-process.ts", this.#profileFolder);
    this.#hubs += 1;
    const { radsecPort, dynauthPort } = await node.call("start", this.#configuration(logLevel, `hub-${this.#hubs}`));
    const nas = await this.#dial(radsecPort, nases, "status");
    return this.#path(node, nas, dynauthPort, DAC_SECRET);
  }

  async relay(nases: number): Promise<UdpPath> {
    const node = new BenchProcess<RelayCommands>("udp-relay-process.ts");
    const { ca, hub } = this.#folder.pki;
    const { tlsPort, udpPort } = await node.call("start", { ca: ca.certificatePem, credentials: hub });
    const nas = await this.#dial(tlsPort, nases, "none");
    return this.#path(node, nas, udpPort, RADSEC_SECRET);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #path(
    node: Pick<BenchProcess<RelayCommands>, "call"> & AsyncDisposable,
    nas: ScriptedNas,
    port: number,
    secret: string,
  ): UdpPath {
    return {
      node,
      load: async (count, inFlight) => {
        await node.call("begin", undefined);
        const loaded = await this.#radload(port, secret, count, inFlight, nas.count);
        return { ...loaded, cost: await node.call("end", undefined) };
      },
      seen: () => nas.end(),
      [Symbol.asyncDispose]: async () => {
        await nas.end();
        await node[Symbol.asyncDispose]();
      },
    };
  }

  async #dial(port: number, count: number, register: "status" | "none"): Promise<ScriptedNas> {
    const names = { port, count, register, "nas-id": "nas-%d", servername: "localhost" };
    const files = {
      ca: this.#folder.file("ca.pem"),
      cert: this.#folder.file("nas.pem"),
      key: this.#folder.file("nas.key"),
    };
    const words = Object.entries({ ...names, ...files }).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const child = spawn(process.execPath, [SCRIPTED_NAS, ...words], { stdio: ["ignore", "pipe", "pipe"] });
    await once(child.stderr, "data"); // "ready", once all of them are
    return new ScriptedNas(child, count);
  }

  async #radload(port: number, secret: string, count: number, inFlight: number, nases: number): Promise<Loaded> {
    const words = [port, "disc", count, inFlight, secret, "nas-%d", REPLY_TIMEOUT_S].map(String);
    const env = { ...process.env, RADLOAD_NAS: String(nases) };
    const { stdout } = await run(this.#folder.file("radload"), words, { env });
    const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? NaN);
    return {
      count: number(/ ok=(\d+)/),
      lost: number(/ lost=(\d+)/),
      acked: number(/ 41=(\d+)/),
      perSecond: number(/ (\d+) pkt\/s/),
      p50Ms: number(/ p50=([\d.]+)/),
      p99Ms: number(/ p99=([\d.]+)/),
    };
  }

  #configuration(logLevel: string, name: string): string {
    return `${this.#folder.radsec}
http: { enabled: false }
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: 0 }]
clients:
  - { name: dac, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${DAC_SECRET}, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub throw-away CA, admitEvery: true } }
store: ${this.#folder.file(`${name}.db`)}
log: { level: ${logLevel}, file: ${this.#folder.file(`${name}.log`)} }
`;
  }
}

/** The process of ../shared/tools/scripted-nas.cjs, with so many connections. */
class ScriptedNas {
  readonly count: number;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #said = "";

  constructor(child: ChildProcess, count: number) {
    this.#child = child;
    this.count = count;
    this.#closed = once(child, "close");
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#said += text;
    });
  }

  async end(): Promise<{ readonly received: number; readonly bad: number }> {
    this.#child.kill();
    await this.#closed;
    return JSON.parse(this.#said) as { received: number; bad: number };
  }
}
