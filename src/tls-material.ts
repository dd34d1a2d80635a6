import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type DevelopmentPki, openPki } from "../pki/development.ts";
import type { UpstreamsOptions } from "./aaa/upstream/options.ts";
import type { Clock } from "./clock.ts";
import type { Config } from "./config.ts";
import { HubError } from "./errors.ts";
import { certificateBlocks } from "./transport/tls-context.ts";
import { revocationListSpans } from "./transport/trust.ts";

/** What a RadSec listener needs to speak TLS, as PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
  readonly ca: readonly string[];
  readonly crl: readonly string[];
}

/** A certificate or revocation list whose end the operator must know of. */
export interface Expiry {
  readonly what: string;
  readonly notAfterMs: number;
  /** How long before its end it is to be replaced. */
  readonly warnBeforeMs: number;
}

/** How long before its end a certificate is to be replaced. */
export const WARN_BEFORE_MS = 30 * 86_400_000;

type ListenerTls = Config["radsec"][number]["tls"];

/** Certificates, keys, CAs and revocation lists: from the files that the configuration names, else from the development PKI,
 *  which is made on first use and renews itself. */
export class TlsMaterials {
  readonly #clock: Clock;
  #pki: DevelopmentPki | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The development PKI, where the configuration uses it. */
  get pki(): DevelopmentPki | undefined {
    return this.#pki;
  }

  /** By the name of the listener or, with "upstream " before it, of the upstream server.
   *  @throws {HubError} ERR_PKI, ERR_CONFIG naming the file that can not be read */
  async load(config: Config): Promise<ReadonlyMap<string, TlsMaterial>> {
    const materials = new Map<string, TlsMaterial>();
    for (const { name, tls } of config.radsec)
      materials.set(name, await this.#material(`listener ${name}`, tls, config));
    for (const server of config.upstreams.servers) {
      if (server.transport !== "radsec" || server.tls === undefined) continue;
      const what = upstreamName(server.name);
      materials.set(what, await this.#material(what, server.tls, config));
    }
    return materials;
  }

  async #material(what: string, tls: ListenerTls, config: Config): Promise<TlsMaterial> {
    const { certificateFile, keyFile, caFiles = [], crlFiles = [] } = tls;
    if (certificateFile !== undefined && keyFile !== undefined) {
      return {
        certificate: await readPem(certificateFile),
        key: await readPem(keyFile),
        ca: await Promise.all(caFiles.map(readPem)),
        crl: await Promise.all(crlFiles.map(readPem)),
      };
    }
    if (!config.pki.development) {
      throw new HubError("ERR_CONFIG", `${what} has no certificateFile and pki.development is off`);
    }
    const { folder, names } = config.pki;
    // Another folder waits for a restart: another CA would shut out every router of this one.
    if (this.#pki === undefined) this.#pki = await openPki(folder, { clock: this.#clock, hubNames: names });
    else await this.#pki.renewIfDue();
    const { hub, ca, crl } = this.#pki;
    return {
      certificate: hub.certificatePem,
      key: hub.keyPem,
      ca: [ca.certificatePem],
      crl: crl === undefined ? [] : [crl.pem],
    };
  }
}

/** The name under which the material of an upstream server is found. */
function upstreamName(server: string): string {
  return `upstream ${server}`;
}

/** The upstreams of a configuration, with what those over TLS need. */
export function upstreamsOptions(config: Config, materials: ReadonlyMap<string, TlsMaterial>): UpstreamsOptions {
  const { servers, pools } = config.upstreams;
  return {
    servers: servers.map((server) => {
      if (server.transport === "udp") return server;
      if (server.tls === undefined) return { ...server, tls: undefined };
      const { minVersion, ciphers } = server.tls;
      const material = materials.get(upstreamName(server.name)) as TlsMaterial;
      return { ...server, tls: { ...material, minVersion, ...(ciphers === undefined ? {} : { ciphers }) } };
    }),
    pools,
    routes: config.realms,
  };
}

/** The certificates and revocation lists of a listener or upstream and the day each ends. */
export function expiries(what: string, material: TlsMaterial | undefined): Expiry[] {
  if (material === undefined) return [];
  const warnBeforeMs = WARN_BEFORE_MS;
  const found = [{ what: `hub certificate of ${what}`, notAfterMs: endOf(material.certificate), warnBeforeMs }];
  for (const pem of certificateBlocks(material.ca))
    found.push({ what: `CA certificate of ${what}`, notAfterMs: endOf(pem), warnBeforeMs });
  for (const { issuer, thisUpdateMs, nextUpdateMs } of revocationListSpans(material.crl)) {
    // A list may live for a week or a day only: the last third of its life is then the time to replace it.
    const lastThirdMs = (nextUpdateMs - thisUpdateMs) / 3;
    const list = `revocation list of ${issuer} for ${what}`;
    found.push({ what: list, notAfterMs: nextUpdateMs, warnBeforeMs: Math.min(WARN_BEFORE_MS, lastThirdMs) });
  }
  return found;
}

function endOf(pem: string): number {
  return Date.parse(new X509Certificate(pem).validTo);
}

async function readPem(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    throw new HubError("ERR_CONFIG", `${file} can not be read (${code})`, { file }, { cause: error });
  }
}
