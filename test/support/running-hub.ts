import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { openPki } from "../../pki/development.ts";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import { problemText } from "../../src/config/problem.ts";
import { type Config, loadConfig } from "../../src/config.ts";
import type { HubEvent, HubEventOf } from "../../src/events.ts";
import { Hub, type HubAddresses } from "../../src/hub.ts";
import { type Logger, openLog } from "../../src/log.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import type { RequestHandler } from "../../src/transport/link.ts";

const DICTIONARY: Dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));

const CLIENTS = "clients: [{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }]";

/** A hub on free ports with a development PKI of its own, stopped when the test is over. */
export class RunningHub {
  readonly hub: Hub;
  readonly folder: string;
  readonly addresses: HubAddresses;
  readonly radsecPort: number;
  readonly api: string;
  readonly events: HubEvent[] = [];

  private constructor(hub: Hub, folder: string, addresses: HubAddresses) {
    this.hub = hub;
    this.folder = folder;
    this.addresses = addresses;
    this.radsecPort = [...addresses.radsec.values()][0]?.port ?? 0;
    this.api = `http://127.0.0.1:${addresses.http?.port}`;
  }

  /** @param yaml further sections of hub.yaml; `radsec`, `clients` and `http` replace the defaults of this class */
  static async start(
    options: {
      readonly yaml?: string;
      readonly clock?: Clock;
      readonly handler?: RequestHandler;
      readonly log?: Logger;
    } = {},
  ): Promise<RunningHub> {
    const { yaml = "", clock = systemClock, handler, log = openLog({ level: "silent", format: "json" }) } = options;
    const folder = await mkdtemp(join(tmpdir(), "radsec-hub-test-"));
    await cp(await pkiOfFile(), join(folder, "pki"), { recursive: true });
    const hub = new Hub(hubConfig(yaml, folder), {
      clock,
      random: systemRandom,
      log,
      version: "test",
      dictionary: DICTIONARY,
      ...(handler && { handler }),
    });
    const events: HubEvent[] = [];
    hub.events.subscribe((event) => events.push(event));
    const running = new RunningHub(hub, folder, await hub.start());
    running.events.push(...events);
    hub.events.subscribe((event) => running.events.push(event));
    onTestFinished(() => running.stop());
    return running;
  }

  async stop(): Promise<void> {
    await this.hub.stop(2_000);
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Certificate and key of a router under this hub's CA. */
  async credentials(name: string): Promise<{ ca: string; certificate: string; key: string }> {
    const issued = await this.hub.pki?.issueNas(name, { force: true });
    const ca = this.hub.pki?.ca.certificatePem;
    if (issued === undefined || ca === undefined) throw new Error("the hub does not use its development PKI");
    return { ca, certificate: issued.certificatePem, key: issued.keyPem };
  }

  eventsOf<Type extends HubEvent["type"]>(type: Type): HubEventOf<Type>[] {
    return this.events.filter((event): event is HubEventOf<Type> => event.type === type);
  }

  /** Resolves with the next event of a type that fits, or with one that has already come. */
  event<Type extends HubEvent["type"]>(
    type: Type,
    fits: (event: HubEventOf<Type>) => boolean = () => true,
  ): Promise<HubEventOf<Type>> {
    const found = this.eventsOf(type).find(fits);
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve) => {
      const end = this.hub.events.subscribe((event) => {
        if (event.type !== type || !fits(event as HubEventOf<Type>)) return;
        end();
        resolve(event as HubEventOf<Type>);
      });
    });
  }
}

let pkiFolder: Promise<string> | undefined;

/** One development PKI for all hubs of a test file: each hub starts from a copy. */
function pkiOfFile(): Promise<string> {
  pkiFolder ??= (async () => {
    const folder = await mkdtemp(join(tmpdir(), "radsec-hub-pki-"));
    await openPki(folder, { clock: systemClock, hubNames: [] });
    return folder;
  })();
  return pkiFolder;
}

afterAll(async () => {
  if (pkiFolder !== undefined) await rm(await pkiFolder, { recursive: true, force: true });
});

/** A configuration for tests: free ports on loopback, everything of the hub under `folder`. */
export function hubConfig(yaml: string, folder: string): Config {
  const has = (section: string) => new RegExp(`^${section}:`, "m").test(yaml);
  const text = [
    yaml,
    has("radsec") ? "" : "radsec: [{ address: 127.0.0.1, port: 0 }]",
    has("http") ? "" : "http: { address: 127.0.0.1, port: 0 }",
    has("clients") ? "" : CLIENTS,
    // Most tests are not about accounting: no store, and nothing is acknowledged.
    has("store")
      ? ""
      : has("accounting")
        ? `store: ${JSON.stringify(join(folder, "hub.db"))}`
        : "accounting: { enabled: false }",
    `pki: { folder: ${JSON.stringify(join(folder, "pki"))} }`,
  ].join("\n");
  const loaded = loadConfig(text, { file: "test.yaml", env: {}, readFile: (path) => readFileSync(path, "utf8") });
  if (!loaded.ok) throw new Error(loaded.problems.map(problemText).join("\n"));
  return loaded.config;
}
