import type { Config } from "../../src/config.ts";
import type { User } from "../../src/store/user-types.ts";
import { radclient } from "./radclient.ts";
import { hubConfig, RunningHub } from "./running-hub.ts";
import { planRecord, userRecord } from "./user-records.ts";

const AAA_SECRET = "a-secret-of-the-aaa-tests";

export interface AaaHubOptions {
  /** More sections of hub.yaml. */
  readonly yaml?: string;
  /** More keys of the client entry. */
  readonly client?: string;
  readonly users?: readonly User[];
  readonly plans?: readonly ReturnType<typeof planRecord>[];
}

/** A hub with a store and RADIUS/UDP, whose users are those of the test, and radclient in front of it. */
export class AaaHub {
  readonly running: RunningHub;

  readonly #client: string;

  private constructor(running: RunningHub, client: string) {
    this.running = running;
    this.#client = client;
  }

  static async start({ yaml = "", client = "", users = [], plans = [] }: AaaHubOptions = {}): Promise<AaaHub> {
    const running = await RunningHub.start({ yaml: hubYaml(yaml, client) });
    const hub = new AaaHub(running, client);
    await running.hub.store?.ready(10_000);
    for (const user of users) await running.hub.store?.users.put(user);
    for (const plan of plans) await running.hub.store?.plans.put(plan);
    return hub;
  }

  /** The configuration with other sections, for Hub.apply(). */
  reconfigured(yaml: string): Config {
    return hubConfig(hubYaml(yaml, this.#client), this.running.folder);
  }

  auth(...attributes: readonly string[]) {
    return radclient(this.#at("auth"), "auth", AAA_SECRET, [...FIRST, ...attributes], QUICK);
  }

  acct(...attributes: readonly string[]) {
    return radclient(this.#at("acct"), "acct", AAA_SECRET, attributes, QUICK);
  }

  #at(purpose: string): string {
    const port = this.running.addresses.udp.get("legacy")?.find((each) => each.purpose === purpose)?.port;
    return `127.0.0.1:${port}`;
  }
}

function hubYaml(yaml: string, client: string): string {
  return `
accounting: { enabled: true }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0, rejectDelay: { min: 1s, max: 1s } }]
clients:
  - { name: four, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${AAA_SECRET}, ${client} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
${yaml}`;
}

/** What every Access-Request here has. */
const FIRST = ["Message-Authenticator = 0x00", 'NAS-Identifier = "nas-07"'];
const QUICK = { timeoutS: 8 };

export function withPassword(username: string, password: string, changes: Partial<User> = {}): User {
  return userRecord(username, { password: { kind: "clear-text", secret: password }, ...changes });
}
