import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { AccountingHubCommands } from "./accounting-hub-process.ts";
import type { AccountingLoadCommands } from "./accounting-load-process.ts";
import type { AaaLoadCommands } from "./aaa-load-process.ts";
import { BenchProcess } from "./bench-process.ts";
import type { HubPorts } from "./hub-under-test.ts";
import { nasName } from "./nas-name.ts";
import { StageFolder } from "./stage-folder.ts";

const RADLOAD = join(import.meta.dirname, "../../../shared/tools/radload.c");
const SECRET = "a-secret-of-the-benchmark";
const RADSEC_SECRET = "radsec";
const NAS = 1;
const ACCOUNTING_NAS = 2;
const ACCT_SESSIONS = 8_192;
const run = promisify(execFile);

export type Transport = "tls" | "udp";

/** A hub in a process of its own. */
export interface AaaHub extends AsyncDisposable {
  readonly node: BenchProcess<AccountingHubCommands>;
  readonly ports: HubPorts;
}

/** Keys, a folder and the processes of the aaa part; all of it is gone after the run. */
export class AaaStage implements Disposable {
  readonly #folder: StageFolder;
  readonly #profileFolder: string | undefined;
  #hubs = 0;

  private constructor(folder: StageFolder, profileFolder: string | undefined) {
    this.#folder = folder;
    this.#profileFolder = profileFolder;
  }

  /** @param profileFolder where the hubs leave their CPU profiles */
  static async make(profileFolder: string | undefined): Promise<AaaStage> {
    return new AaaStage(await StageFolder.make(), profileFolder);
  }

  /** A hub as it is shipped, which answers as many Status-Servers as come.
   *  @param modules other than the shipped ones, as YAML */
  async hub(modules = ""): Promise<AaaHub> {
    const node = new BenchProcess<AccountingHubCommands>("accounting-hub-process.ts", this.#profileFolder);
    this.#hubs += 1;
    const ports = await node.call("start", this.#configuration(`hub-${this.#hubs}`, modules));
    return { node, ports, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
  }

  /** A router that logs users in. */
  async router({ ports }: AaaHub, transport: Transport): Promise<BenchProcess<AaaLoadCommands>> {
    const router = new BenchProcess<AaaLoadCommands>("aaa-load-process.ts");
    await router.call("open", {
      port: transport === "tls" ? ports.radsecPort : ports.authPort,
      transport,
      ca: this.#folder.pki.ca.certificatePem,
      certificate: await this.#folder.pki.nas(nasName(NAS)),
      secret: transport === "tls" ? RADSEC_SECRET : SECRET,
    });
    return router;
  }

  /** A router that reports acct sessions over TLS. */
  async accountingRouter({ ports }: AaaHub): Promise<BenchProcess<AccountingLoadCommands>> {
    const router = new BenchProcess<AccountingLoadCommands>("accounting-load-process.ts");
    await router.call("open", {
      port: ports.radsecPort,
      transport: "tls",
      links: 1,
      ca: this.#folder.pki.ca.certificatePem,
      certificates: [await this.#folder.pki.nas(nasName(ACCOUNTING_NAS))],
      secret: RADSEC_SECRET,
      acctSessions: ACCT_SESSIONS,
    });
    return router;
  }

  /** Logins over UDP from a loader that was written apart from the hub.
   *  @throws what the compiler says, or that the loader is not here */
  async radload({ ports }: AaaHub, count: number, inFlight: number): Promise<Independent> {
    const program = this.#folder.file("radload");
    await run("cc", ["-O2", "-w", "-o", program, RADLOAD, "-lcrypto"]);
    const words = [ports.authPort, "auth", count, inFlight, SECRET, nasName(NAS), 5].map(String);
    const { stdout } = await run(program, words);
    const number = (pattern: RegExp) => Number(pattern.exec(stdout)?.[1] ?? NaN);
    return {
      inFlight,
      perSecond: number(/ (\d+) pkt\/s/),
      p50Ms: number(/ p50=([\d.]+)/),
      p99Ms: number(/ p99=([\d.]+)/),
      lost: count - number(/ 2=(\d+)/),
    };
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #configuration(name: string, modules: string): string {
    return `${this.#folder.radsec}
http: { address: 127.0.0.1, port: 0 }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0 }]
clients:
  - { name: legacy, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET} }
  - { name: routers, match: { issuer: CN=radsec-hub throw-away CA, admitEvery: true }, vendor: mikrotik }
status: { ratePerSecond: 100000 }
store: ${this.#folder.file(`${name}.db`)}
log: { file: ${this.#folder.file(`${name}.log`)} }
${modules}`;
  }
}

/** What the independent loader saw. */
export interface Independent {
  readonly inFlight: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Not accepted, or not answered. */
  readonly lost: number;
}
