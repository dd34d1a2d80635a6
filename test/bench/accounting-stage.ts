import { DatabaseSync } from "node:sqlite";
import type { Credentials } from "../../pki/throw-away.ts";
import type { BareAccountingCommands } from "./accounting-bare-process.ts";
import type { AccountingHubCommands } from "./accounting-hub-process.ts";
import { UPLOAD_EACH } from "./accounting-interims.ts";
import type { AccountingLoadCommands } from "./accounting-load-process.ts";
import { BenchProcess } from "./bench-process.ts";
import type { Cost } from "./gauge.ts";
import type { Seen } from "./load-router.ts";
import { nasName } from "./nas-name.ts";
import { StageFolder } from "./stage-folder.ts";

/** Acct sessions that are on while records are counted: each record is an Interim-Update of one of them. */
export const ACTIVE = 8_192;
const SECRET = "a-secret-of-the-benchmark";
const RADSEC_SECRET = "radsec";
/** Of everybody, and never reached: each record is looked at, nothing is done. */
const ONE_RULE = `
quota:
  rules: [{ name: fair-use, counts: both, period: month, amount: 1000TB, thresholds: [{ percent: 80, notify: true }, { percent: 100, action: disconnect }] }]
`;

/** A way for accounting into a hub of its own. */
export interface AccountingWay {
  readonly what: string;
  readonly transport: "tls" | "udp";
  readonly links: number;
  /** Responses of one moment share a TLS write; as shipped each is one of its own. */
  readonly coalesce?: true;
  /** A quota rule that holds for every user. */
  readonly quota?: true;
}

/** A hub that stores what its routers report; hub and routers are a process each. */
export interface AccountingPair extends AsyncDisposable {
  load(count: number, inFlight: number): Promise<Seen & { readonly cost: Cost }>;
  /** Ends the hub. @throws Error when its store holds other totals than were acknowledged */
  verify(): Promise<void>;
}

/** Keys, a folder and the processes of the accounting part; all of it is gone after the run. */
export class AccountingStage implements Disposable {
  readonly #folder: StageFolder;
  readonly #profileFolder: string | undefined;
  #files = 0;

  private constructor(folder: StageFolder, profileFolder: string | undefined) {
    this.#folder = folder;
    this.#profileFolder = profileFolder;
  }

  /** @param profileFolder where the hubs leave their CPU profiles */
  static async make(profileFolder: string | undefined): Promise<AccountingStage> {
    return new AccountingStage(await StageFolder.make(), profileFolder);
  }

  get folder(): string {
    return this.#folder.path;
  }

  async hub(way: AccountingWay): Promise<AccountingPair> {
    const node = new BenchProcess<AccountingHubCommands>("accounting-hub-process.ts", this.#profileFolder);
    const routers = new BenchProcess<AccountingLoadCommands>("accounting-load-process.ts");
    const file = this.#newFile();
    const { radsecPort, acctPort } = await node.call("start", this.#configuration(way, file));
    const { transport, links } = way;
    const certificates: Credentials[] = [];
    for (let link = 1; transport === "tls" && link <= links; link += 1) {
      certificates.push(await this.#folder.pki.nas(nasName(link)));
    }
    await routers.call("open", {
      port: transport === "tls" ? radsecPort : acctPort,
      transport,
      links,
      ca: this.#folder.pki.ca.certificatePem,
      certificates,
      secret: transport === "tls" ? RADSEC_SECRET : SECRET,
      acctSessions: ACTIVE,
    });
    let acknowledged = 0;
    return {
      load: async (count, inFlight) => {
        await node.call("begin", undefined);
        const seen = await routers.call("drive", { count, rhythm: { inFlight } });
        acknowledged += seen.count;
        return { ...seen, cost: await node.call("end", undefined) };
      },
      verify: async () => {
        await node.call("stop", undefined);
        verifyTotal(file, acknowledged * UPLOAD_EACH);
      },
      [Symbol.asyncDispose]: async () => {
        await Promise.all([routers[Symbol.asyncDispose](), node[Symbol.asyncDispose]()]);
      },
    };
  }

  async bare(nases: number): Promise<BenchProcess<BareAccountingCommands>> {
    const bare = new BenchProcess<BareAccountingCommands>("accounting-bare-process.ts");
    await bare.call("start", { file: this.#newFile(), acctSessions: ACTIVE, nases });
    return bare;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #configuration({ coalesce, quota }: AccountingWay, file: string): string {
    return `${this.#folder.radsec}
http: { enabled: false }
udp: [{ name: legacy, addresses: [127.0.0.1], acctPort: 0 }]
clients:
  - { name: legacy, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET} }
  - { name: routers, match: { issuer: CN=radsec-hub throw-away CA, admitEvery: true }, coalesce: ${coalesce ? "all" : "none"} }
store: ${file}
log: { file: ${this.#folder.file("hub.log")} }
${quota === true ? ONE_RULE : ""}`;
  }

  #newFile(): string {
    this.#files += 1;
    return this.#folder.file(`${this.#files}.db`);
  }
}

/** Figures of a hub that forgets records would be worth nothing. */
function verifyTotal(file: string, uploadOctets: number): void {
  const database = new DatabaseSync(file, { readOnly: true });
  const row = database.prepare("SELECT sum(upload_octets) AS stored FROM usage WHERE period_key = 'total'").get();
  database.close();
  if (row?.["stored"] !== uploadOctets) {
    throw new Error(`${String(row?.["stored"])} octets are stored, ${uploadOctets} were acknowledged`);
  }
}
