import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../src/clock.ts";
import { HubError } from "../src/errors.ts";
import { newKeyPem } from "./authority.ts";
import { BACKDATED_MS, type CaFolder, DAY_MS, parseCertificate } from "./ca-folder.ts";
import type { IssuedCertificate, Ledger } from "./ledger.ts";
import { altNamesOfNas, checkedAltNames, checkedCommonName, type SubjectAltNames } from "./subject-alt-names.ts";
import { createFolder, makeFolder, readText, removeFolder } from "./whole-files.ts";

const DAYS_DEFAULT = 365;
const DAYS_MAX = 3650;
/** Two processes that force the same name take turns; more turns than this and somebody loops. */
const REPLACE_ATTEMPTS_MAX = 8;

export interface NasRequest extends Omit<SubjectAltNames, "naiRealm"> {
  /** 1 to 3650, default 365; never beyond the end of the CA. */
  readonly days?: number;
  /** Replace what was issued under this name before. The old certificate stays valid until it is revoked. */
  readonly force?: boolean;
}

export interface IssuedNas {
  readonly name: string;
  readonly serial: string;
  readonly notAfterMs: number;
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly caPem: string;
  readonly folder: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly caFile: string;
}

/** Certificates for routers: a folder each, with everything that the router needs. */
export class NasCertificates {
  readonly #folder: string;
  readonly #ca: CaFolder;
  readonly #ledger: Ledger;
  readonly #clock: Clock;

  constructor(folder: string, deps: { readonly ca: CaFolder; readonly ledger: Ledger; readonly clock: Clock }) {
    this.#folder = folder;
    this.#ca = deps.ca;
    this.#ledger = deps.ledger;
    this.#clock = deps.clock;
  }

  /** @throws {HubError} ERR_INPUT for a bad name, SAN or number of days, ERR_PKI for files */
  async issue(name: string, request: NasRequest): Promise<IssuedNas> {
    checkedCommonName(name);
    const days = request.days ?? DAYS_DEFAULT;
    if (!Number.isInteger(days) || days < 1 || days > DAYS_MAX) {
      throw new HubError("ERR_INPUT", `a certificate lasts 1 to ${DAYS_MAX} days, not ${days}`);
    }
    const altNames = altNamesFor(name, request);
    const folder = join(this.#folder, folderName(name));
    const force = request.force ?? false;
    await makeFolder(this.#folder);
    // Looked up before signing too, or each refused attempt would leave a certificate in the ledger that nobody has.
    if (!force && (await readText(join(folder, "certificate.pem"))) !== undefined) throw alreadyThere(name, folder);
    const issued = await this.#sign(name, altNames, days, folder);
    await publish(issued, force);
    return issued;
  }

  /** Revokes every certificate of this name that is still good. @returns their serial numbers
   *  @throws {HubError} ERR_NOT_FOUND when there is none */
  async revoke(name: string): Promise<string[]> {
    const nowMs = this.#clock.wallMs();
    const good = (await this.issued()).filter(
      (certificate) =>
        certificate.name === name && certificate.revokedAtMs === undefined && certificate.notAfterMs > nowMs,
    );
    if (good.length === 0) {
      throw new HubError("ERR_NOT_FOUND", `no certificate that is still good was issued to ${JSON.stringify(name)}`);
    }
    for (const { serial } of good) await this.#ledger.revoked(serial, nowMs);
    return good.map(({ serial }) => serial);
  }

  async issued(): Promise<IssuedCertificate[]> {
    return (await this.#ledger.certificates()).filter(({ usage }) => usage === "clientAuth");
  }

  async #sign(name: string, altNames: SubjectAltNames, days: number, folder: string): Promise<IssuedNas> {
    const nowMs = this.#clock.wallMs();
    const keyPem = newKeyPem();
    const authority = await this.#ca.authority();
    const certificatePem = await authority.issue({
      commonName: name,
      altNames,
      usage: "clientAuth",
      keyPem,
      notBeforeMs: nowMs - BACKDATED_MS,
      notAfterMs: nowMs + days * DAY_MS,
    });
    const certificateFile = join(folder, "certificate.pem");
    const certificate = parseCertificate(certificatePem, certificateFile);
    const serial = certificate.serialNumber;
    const notAfterMs = certificate.validToDate.getTime();
    await this.#ledger.issued({ serial, name, usage: "clientAuth", notAfterMs });
    return {
      name,
      serial,
      notAfterMs,
      certificatePem,
      keyPem,
      caPem: this.#ca.certificatePem,
      folder,
      certificateFile,
      keyFile: join(folder, "key.pem"),
      caFile: join(folder, "ca.pem"),
    };
  }
}

async function publish(issued: IssuedNas, force: boolean): Promise<void> {
  for (let attempt = 0; attempt < REPLACE_ATTEMPTS_MAX; attempt += 1) {
    if (force) await removeFolder(issued.folder);
    const created = await createFolder(issued.folder, {
      "key.pem": { text: issued.keyPem, secret: true },
      "certificate.pem": { text: issued.certificatePem, secret: false },
      "ca.pem": { text: issued.caPem, secret: false },
    });
    if (created) return;
    if (!force) break;
  }
  throw alreadyThere(issued.name, issued.folder);
}

function alreadyThere(name: string, folder: string): HubError {
  return new HubError(
    "ERR_PKI",
    `${folder} is there already: ${JSON.stringify(name)} was issued before; --force issues it again`,
    {
      file: folder,
    },
  );
}

function altNamesFor(name: string, { dns = [], ip = [], uri = [], email = [] }: NasRequest): SubjectAltNames {
  const given = { dns, ip, uri, email };
  const none = Object.values(given).every((values) => values.length === 0);
  return checkedAltNames(none ? altNamesOfNas(name) : given);
}

/** A name that is safe as a folder stands for itself; any other is made safe and marked with its hash, so that no two names
 *  share a folder and none leaves it ("../ca"). */
function folderName(name: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  const mark = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${name.replace(/[^A-Za-z0-9_-]+/g, "_").replace(/^[_-]+/, "")}-${mark}`.replace(/^-/, "nas-");
}
