import type { Credentials } from "../../pki/throw-away.ts";
import type { BareCommands } from "./bare-process.ts";
import { BenchProcess } from "./bench-process.ts";
import type { HubCommands } from "./hub-process.ts";
import { nasName } from "./nas-name.ts";
import type { Dial, NasCommands } from "./nas-process.ts";
import { StageFolder } from "./stage-folder.ts";

/** What the hub and the floor can both be asked. */
export type NodeCommands = Pick<HubCommands, "drive" | "begin" | "end" | "residentBytes">;

/** A hub, or the floor beside it, with its routers, each in a process of its own. */
export interface Pair<C extends NodeCommands = NodeCommands> extends AsyncDisposable {
  readonly node: BenchProcess<C>;
  readonly routers: BenchProcess<NasCommands>;
  readonly httpPort: number;
  /** Opens links of router `from` and the following. */
  open(links: number, from: number, forMs?: number): Promise<{ open: number; seconds: number }>;
}

/** Octets of the Disconnect-Request that hub-process.ts sends; checked against what the routers saw. */
export const MESSAGE_BYTES = 98;
/** About what the API answers to an ACK. */
const ANSWER_BYTES = 400;
/** Handshakes at once: enough to keep two cores busy. */
const RAMP = 48;

/** Everything the processes share: keys, a folder, the configuration. It is gone after the run. */
export class Stage implements Disposable {
  readonly #folder: StageFolder;
  readonly #certificates: readonly Credentials[];
  readonly profileFolder: string | undefined;
  #hubs = 0;

  private constructor(folder: StageFolder, certificates: readonly Credentials[], profileFolder: string | undefined) {
    this.#folder = folder;
    this.#certificates = certificates;
    this.profileFolder = profileFolder;
  }

  /** @param certificates of routers; they are used in turn
   *  @param profileFolder where the hubs leave their CPU profiles */
  static async make(certificates: number, profileFolder: string | undefined): Promise<Stage> {
    const folder = await StageFolder.make();
    const issued = Array.from({ length: certificates }, (_, index) => folder.pki.nas(nasName(index + 1)));
    return new Stage(folder, await Promise.all(issued), profileFolder);
  }

  /** A hub as it is shipped, log lines for each exchange included, but with limits that let one machine be every router.
   *  @param logLevel other than the shipped one */
  async hub(logLevel = "info", answer: Dial["answer"] = "ack"): Promise<Pair<HubCommands>> {
    const node = new BenchProcess<HubCommands>("hub-process.ts", this.profileFolder);
    this.#hubs += 1;
    const { radsecPort, httpPort } = await node.call("start", this.#configuration(logLevel));
    return this.#pair(node, radsecPort, httpPort, answer);
  }

  async bare(): Promise<Pair<BareCommands>> {
    const node = new BenchProcess<BareCommands>("bare-process.ts");
    const options = {
      ca: this.#folder.pki.ca.certificatePem,
      credentials: this.#folder.pki.hub,
      messageBytes: MESSAGE_BYTES,
      answerBytes: ANSWER_BYTES,
    };
    const { tlsPort, httpPort } = await node.call("start", options);
    return this.#pair(node, tlsPort, httpPort, "echo");
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #pair<C extends NodeCommands>(
    node: BenchProcess<C>,
    port: number,
    httpPort: number,
    answer: Dial["answer"],
  ): Pair<C> {
    const routers = new BenchProcess<NasCommands>("nas-process.ts");
    const common = {
      port,
      ca: this.#folder.pki.ca.certificatePem,
      certificates: this.#certificates,
      answer,
      ramp: RAMP,
    };
    return {
      node,
      routers,
      httpPort,
      open: (links, from, forMs = 60_000) => routers.call("open", { ...common, links, from, forMs }),
      [Symbol.asyncDispose]: async () => {
        await Promise.all([routers[Symbol.asyncDispose](), node[Symbol.asyncDispose]()]);
      },
    };
  }

  #configuration(logLevel: string): string {
    return `${this.#folder.radsec}
    limits: { linksPerPeer: 20000, halfOpenPerAddress: 512, newPerSecondPerAddress: 100000, handshakeTimeout: 30s }
http: { address: 127.0.0.1, port: 0 }
clients: [{ name: routers, match: { issuer: CN=radsec-hub throw-away CA, admitEvery: true } }]
store: ${this.#folder.file(`hub-${this.#hubs}.db`)}
log: { level: ${logLevel}, file: ${this.#folder.file("hub.log")} }
`;
  }
}
