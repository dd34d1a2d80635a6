import { join } from "node:path";
import type { Clock } from "../src/clock.ts";
import { HubError } from "../src/errors.ts";
import { readRevocationList } from "./authority.ts";
import { CaFolder, DAY_MS } from "./ca-folder.ts";
import { HubCertificate } from "./hub-certificate.ts";
import { type IssuedCertificate, Ledger } from "./ledger.ts";
import { type IssuedNas, NasCertificates, type NasRequest } from "./nas-certificates.ts";
import { hostNames, type SubjectAltNames } from "./subject-alt-names.ts";
import { makeFolder, readText, replaceFile } from "./whole-files.ts";

const ALWAYS_HUB_NAMES = ["localhost", "127.0.0.1", "::1"];
const HUB_DAYS = 365;
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** Revocation takes effect when the hub reads the file, so this is no delay; short, it would only be one more thing to expire. */
const REVOCATION_LIST_DAYS = 365;
const REVOCATION_ATTEMPTS_MAX = 8;

export interface PkiOptions {
  readonly clock: Clock;
  /** Names and addresses of the hub beside localhost, 127.0.0.1 and ::1. Undefined: whoever opens the folder does not know
   *  them (`pki issue`), and leaves the hub's certificate as it is. */
  readonly hubNames?: readonly string[] | undefined;
  /** Realms the hub answers for, for routers that are configured by realm (TLS-24). */
  readonly naiRealms?: readonly string[];
  /** Validity of the hub's certificate, default 365. */
  readonly hubDays?: number;
  /** How long before its end the hub's certificate is issued again, default 30 days. */
  readonly renewBeforeMs?: number;
}

export interface Expiry {
  readonly what: string;
  /** Milliseconds since 1970 UTC. */
  readonly notAfterMs: number;
}

export interface RevocationList {
  readonly pem: string;
  readonly file: string;
}

/** Opens the PKI of a folder, making CA and hub certificate on first use and renewing what is due. Several processes may.
 *  @throws {HubError} ERR_PKI naming the file, ERR_INPUT for a hub name that cannot stand in a certificate */
export async function openPki(folder: string, options: PkiOptions): Promise<DevelopmentPki> {
  const altNames = {
    ...hostNames([...ALWAYS_HUB_NAMES, ...(options.hubNames ?? [])]),
    naiRealm: options.naiRealms ?? [],
  };
  const { clock } = options;
  await makeFolder(folder);
  const ledger = new Ledger(join(folder, "ledger.jsonl"));
  // A CA that got lost is never replaced in silence: every router would be refused. Asked before the CA is opened, because
  // another process may be making both right now.
  const issuedBefore = (await readText(ledger.file)) !== undefined;
  const ca = await CaFolder.open(join(folder, "ca"), clock, !issuedBefore);
  const hub = new HubCertificate(
    join(folder, "hub"),
    { ca, ledger, clock },
    { days: options.hubDays ?? HUB_DAYS, renewBeforeMs: options.renewBeforeMs ?? RENEW_BEFORE_MS },
  );
  const pki = new DevelopmentPki(folder, { ca, hub, ledger, clock }, altNames, options, !issuedBefore);
  await pki.renewIfDue();
  return pki;
}

interface Parts {
  readonly ca: CaFolder;
  readonly hub: HubCertificate;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

interface ReadRevocationList {
  readonly pem: string;
  readonly serials: ReadonlySet<string>;
  readonly nextUpdateMs: number;
}

/** The PKI that a hub makes for itself: `ca/`, `hub/`, a folder for each router under `nas/`, `crl.pem` once something is
 *  revoked, and `ledger.jsonl` with all that was issued. Comes from {@link openPki}. */
export class DevelopmentPki {
  readonly folder: string;
  /** Whether opening it made the CA. */
  readonly isNew: boolean;
  readonly #parts: Parts;
  readonly #nas: NasCertificates;
  readonly #altNames: SubjectAltNames;
  readonly #mayRenewHub: boolean;
  readonly #renewBeforeMs: number;
  #crl: ReadRevocationList | undefined;

  constructor(folder: string, parts: Parts, altNames: SubjectAltNames, options: PkiOptions, isNew: boolean) {
    this.folder = folder;
    this.isNew = isNew;
    this.#parts = parts;
    this.#nas = new NasCertificates(join(folder, "nas"), parts);
    this.#altNames = altNames;
    this.#mayRenewHub = options.hubNames !== undefined;
    this.#renewBeforeMs = options.renewBeforeMs ?? RENEW_BEFORE_MS;
  }

  get ca(): { readonly certificatePem: string; readonly certificateFile: string } {
    const { certificatePem, certificateFile } = this.#parts.ca;
    return { certificatePem, certificateFile };
  }

  get hub(): {
    readonly certificatePem: string;
    readonly keyPem: string;
    readonly certificateFile: string;
    readonly keyFile: string;
  } {
    const { certificatePem, keyPem, certificateFile, keyFile } = this.#parts.hub;
    return { certificatePem, keyPem, certificateFile, keyFile };
  }

  /** Undefined until the first revocation. Given any CRL, node:tls wants one of every CA in use, so an empty one would shut
   *  out the routers of other CAs. */
  get crl(): RevocationList | undefined {
    return this.#crl === undefined ? undefined : { pem: this.#crl.pem, file: this.#crlFile };
  }

  /** Reads the folder again and issues anew what is due. To be called a few times a day: links stay, because a TLS link keeps
   *  the certificate it was made with; what listens takes the new one for the next handshake.
   *  @returns whether `hub` or `crl` changed, by this process or another
   *  @throws {HubError} ERR_PKI; what was in use stays in use */
  async renewIfDue(): Promise<boolean> {
    const reread = await this.#parts.hub.open(this.#altNames);
    const renewed = this.#mayRenewHub && (await this.#parts.hub.renewIfDue(this.#altNames));
    const before = this.#crl;
    const crl = await this.#readRevocationList();
    if (await this.#outdated(crl)) await this.#writeRevocationList();
    else this.#crl = crl;
    return reread || renewed || this.#crl?.pem !== before?.pem;
  }

  /** When what the hub stands on ends; what has little time left although renewIfDue() was called needs an operator. */
  expiry(): Expiry[] {
    const { ca, hub } = this.#parts;
    return [
      { what: "CA certificate", notAfterMs: ca.notAfterMs },
      { what: "hub certificate", notAfterMs: hub.notAfterMs },
      ...(this.#crl === undefined ? [] : [{ what: "revocation list", notAfterMs: this.#crl.nextUpdateMs }]),
    ];
  }

  /** Makes key and certificate of a router in `nas/NAME/`, with a copy of the CA. Without SANs the name is the SAN.
   *  @throws {HubError} ERR_INPUT for a bad name, SAN or number of days; ERR_PKI, also when the name is taken and not forced */
  async issueNas(name: string, request: NasRequest = {}): Promise<IssuedNas> {
    return await this.#nas.issue(name, request);
  }

  /** Revokes what was issued to a router and signs a new CRL. @returns the serial numbers
   *  @throws {HubError} ERR_NOT_FOUND when nothing issued to this name is still good, ERR_PKI */
  async revokeNas(name: string): Promise<string[]> {
    const serials = await this.#nas.revoke(name);
    await this.#writeRevocationList();
    return serials;
  }

  /** Every router certificate ever issued here, oldest first. @throws {HubError} ERR_PKI naming file and line */
  async issuedNas(): Promise<IssuedCertificate[]> {
    return await this.#nas.issued();
  }

  /** True when little of the list's time is left, or it lacks what the ledger has: a crash, or a CA without its key, came
   *  between the two. */
  async #outdated(crl: ReadRevocationList | undefined): Promise<boolean> {
    if (crl !== undefined && crl.nextUpdateMs - this.#nowMs() < this.#renewBeforeMs) return true;
    return (await revocations(this.#parts.ledger)).some(({ serial }) => crl?.serials.has(serial) !== true);
  }

  async #writeRevocationList(): Promise<void> {
    const { ca, ledger } = this.#parts;
    const authority = await ca.authority();
    for (let attempt = 0; attempt < REVOCATION_ATTEMPTS_MAX; attempt += 1) {
      const revoked = await revocations(ledger);
      const nowMs = this.#nowMs();
      const pem = await authority.revocationList(revoked, nowMs, nowMs + REVOCATION_LIST_DAYS * DAY_MS);
      await replaceFile(this.#crlFile, { text: pem, secret: false });
      // Another process may have added to the ledger and written its list before ours replaced it.
      if ((await revocations(ledger)).length > revoked.length) continue;
      this.#crl = await this.#readRevocationList();
      return;
    }
    throw new HubError("ERR_PKI", `${ledger.file} keeps changing`, { file: ledger.file });
  }

  async #readRevocationList(): Promise<ReadRevocationList | undefined> {
    const pem = await readText(this.#crlFile);
    if (pem === undefined) return undefined;
    const list = readRevocationList(pem);
    if (list === undefined) {
      throw new HubError("ERR_PKI", `${this.#crlFile} is not a PEM CRL`, { file: this.#crlFile });
    }
    return { pem, ...list };
  }

  get #crlFile(): string {
    return join(this.folder, "crl.pem");
  }

  #nowMs(): number {
    return this.#parts.clock.wallMs();
  }
}

async function revocations(ledger: Ledger): Promise<{ serial: string; atMs: number }[]> {
  return (await ledger.certificates()).flatMap(({ serial, revokedAtMs }) =>
    revokedAtMs === undefined ? [] : [{ serial, atMs: revokedAtMs }],
  );
}
