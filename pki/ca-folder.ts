import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../src/clock.ts";
import { HubError } from "../src/errors.ts";
import { Authority, newKeyPem } from "./authority.ts";
import { createFolder, readSecret, readText } from "./whole-files.ts";

const CA_YEARS = 10;
export const DAY_MS = 86_400_000;
/** Routers without a battery start some minutes in the past; what is issued is valid a little before it is made. */
export const BACKDATED_MS = 3_600_000;

/** The CA on disk. Its key is read when something is signed and forgotten after, so a hub whose certificate is not due
 *  runs without it, and an operator may keep it elsewhere. */
export class CaFolder {
  readonly certificateFile: string;
  readonly certificatePem: string;
  readonly certificate: X509Certificate;
  readonly notAfterMs: number;
  readonly #keyFile: string;
  readonly #clock: Clock;

  private constructor(folder: string, certificatePem: string, clock: Clock) {
    this.certificateFile = join(folder, "certificate.pem");
    this.#keyFile = join(folder, "key.pem");
    this.certificatePem = certificatePem;
    this.certificate = parseCertificate(certificatePem, this.certificateFile);
    this.notAfterMs = this.certificate.validToDate.getTime();
    this.#clock = clock;
  }

  /** Opens the CA, making it on first use where `mayCreate` allows.
   *  @throws {HubError} ERR_PKI naming the file that is missing, broken, expired or cannot be written */
  static async open(folder: string, clock: Clock, mayCreate: boolean): Promise<CaFolder> {
    const certificateFile = join(folder, "certificate.pem");
    let certificatePem = await readText(certificateFile);
    if (certificatePem === undefined && mayCreate) {
      await createCa(folder, clock);
      // Read again, for another process may have been first: then its CA is the one.
      certificatePem = await readText(certificateFile);
    }
    if (certificatePem === undefined) {
      throw new HubError(
        "ERR_PKI",
        `${certificateFile} is missing, but certificates issued by it are there: restore it, or remove the whole folder`,
        { file: certificateFile },
      );
    }
    const ca = new CaFolder(folder, certificatePem, clock);
    if (!ca.certificate.ca) {
      throw new HubError("ERR_PKI", `${certificateFile} is not the certificate of a CA`, { file: certificateFile });
    }
    ca.#refuseExpired();
    return ca;
  }

  /** The CA, able to sign. @throws {HubError} ERR_PKI when its key is missing, broken or another one, or the CA has expired */
  async authority(): Promise<Authority> {
    this.#refuseExpired();
    const keyPem = await readSecret(this.#keyFile);
    if (keyPem === undefined) throw new HubError("ERR_PKI", `${this.#keyFile} is missing`, { file: this.#keyFile });
    try {
      return Authority.open(this.certificatePem, keyPem);
    } catch (error) {
      const reason = error instanceof HubError ? error.message : "not a PEM private key";
      throw new HubError("ERR_PKI", `${this.#keyFile}: ${reason}`, { file: this.#keyFile }, { cause: error });
    }
  }

  #refuseExpired(): void {
    if (this.#clock.wallMs() < this.notAfterMs) return;
    const since = this.certificate.validToDate.toISOString();
    throw new HubError(
      "ERR_PKI",
      `${this.certificateFile} expired at ${since}: remove the folder to make a new CA, then give every router a new certificate`,
      { file: this.certificateFile },
    );
  }
}

/** @throws {HubError} ERR_PKI naming the file */
export function parseCertificate(pem: string, file: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (error) {
    throw new HubError("ERR_PKI", `${file} is not a PEM certificate`, { file }, { cause: error });
  }
}

async function createCa(folder: string, clock: Clock): Promise<void> {
  const keyPem = newKeyPem();
  const nowMs = clock.wallMs();
  const authority = await Authority.create("radsec-hub development CA", keyPem, {
    notBeforeMs: nowMs - BACKDATED_MS,
    notAfterMs: nowMs + CA_YEARS * 365 * DAY_MS,
  });
  await createFolder(folder, {
    "key.pem": { text: keyPem, secret: true },
    "certificate.pem": { text: authority.certificatePem, secret: false },
  });
}
