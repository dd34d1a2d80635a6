import { createPrivateKey, type X509Certificate } from "node:crypto";
import { join } from "node:path";
import type { Clock } from "../src/clock.ts";
import { HubError } from "../src/errors.ts";
import { newKeyPem, saysAltNames } from "./authority.ts";
import { BACKDATED_MS, type CaFolder, DAY_MS, parseCertificate } from "./ca-folder.ts";
import type { Ledger } from "./ledger.ts";
import { isDnsName, type SubjectAltNames } from "./subject-alt-names.ts";
import { createFolder, readSecret, readText, replaceFile } from "./whole-files.ts";

const COMMON_NAME_WITHOUT_DNS = "radsec-hub";
const COMMON_NAME_CHARACTERS_MAX = 64;

export interface HubCertificateOptions {
  readonly days: number;
  readonly renewBeforeMs: number;
}

interface Pair {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly certificate: X509Certificate;
}

/** What the hub shows to routers. A renewal keeps the key: then one file changes, in one rename, and no reader ever sees a
 *  certificate beside a key that is not its own. */
export class HubCertificate {
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly #folder: string;
  readonly #ca: CaFolder;
  readonly #ledger: Ledger;
  readonly #clock: Clock;
  readonly #options: HubCertificateOptions;
  #pair: Pair | undefined;

  constructor(
    folder: string,
    deps: { readonly ca: CaFolder; readonly ledger: Ledger; readonly clock: Clock },
    options: HubCertificateOptions,
  ) {
    this.#folder = folder;
    this.certificateFile = join(folder, "certificate.pem");
    this.keyFile = join(folder, "key.pem");
    this.#ca = deps.ca;
    this.#ledger = deps.ledger;
    this.#clock = deps.clock;
    this.#options = options;
  }

  get certificatePem(): string {
    return this.#opened().certificatePem;
  }

  get keyPem(): string {
    return this.#opened().keyPem;
  }

  get notAfterMs(): number {
    return this.#opened().certificate.validToDate.getTime();
  }

  /** Reads the pair, making it where there is none.
   *  @returns whether it differs from what was read before
   *  @throws {HubError} ERR_PKI naming the file; what was read before stays in use */
  async open(altNames: SubjectAltNames): Promise<boolean> {
    const before = this.#pair;
    let pair = await this.#read();
    if (pair === undefined) {
      const keyPem = newKeyPem();
      const certificatePem = await this.#sign(altNames, keyPem);
      await createFolder(this.#folder, {
        "key.pem": { text: keyPem, secret: true },
        "certificate.pem": { text: certificatePem, secret: false },
      });
      pair = await this.#read();
    }
    if (pair === undefined) throw new HubError("ERR_PKI", `${this.keyFile} is missing`, { file: this.keyFile });
    this.#pair = pair;
    return pair.certificatePem !== before?.certificatePem || pair.keyPem !== before.keyPem;
  }

  /** Issues the certificate again when little of its time is left, its names changed or its CA did.
   *  @returns whether it did. @throws {HubError} ERR_PKI */
  async renewIfDue(altNames: SubjectAltNames): Promise<boolean> {
    if (!this.#due(altNames)) return false;
    const { keyPem } = this.#opened();
    const certificatePem = await this.#sign(altNames, keyPem);
    await replaceFile(this.certificateFile, { text: certificatePem, secret: false });
    this.#pair = { certificatePem, keyPem, certificate: parseCertificate(certificatePem, this.certificateFile) };
    return true;
  }

  #due(altNames: SubjectAltNames): boolean {
    const { certificate, certificatePem } = this.#opened();
    if (!certificate.verify(this.#ca.certificate.publicKey)) return true;
    if (!saysAltNames(certificatePem, altNames)) return true;
    // A certificate that ends with its CA cannot be prolonged; without this test it would be issued again at every look.
    const prolongable = certificate.validToDate.getTime() < this.#ca.notAfterMs;
    return prolongable && this.notAfterMs - this.#clock.wallMs() < this.#options.renewBeforeMs;
  }

  async #sign(altNames: SubjectAltNames, keyPem: string): Promise<string> {
    const nowMs = this.#clock.wallMs();
    const commonName = commonNameOf(altNames);
    const authority = await this.#ca.authority();
    const certificatePem = await authority.issue({
      commonName,
      altNames,
      usage: "serverAuth",
      keyPem,
      notBeforeMs: nowMs - BACKDATED_MS,
      notAfterMs: nowMs + this.#options.days * DAY_MS,
    });
    const { serialNumber: serial, validToDate } = parseCertificate(certificatePem, this.certificateFile);
    await this.#ledger.issued({ serial, name: commonName, usage: "serverAuth", notAfterMs: validToDate.getTime() });
    return certificatePem;
  }

  async #read(): Promise<Pair | undefined> {
    let keyPem = await readSecret(this.keyFile);
    const certificatePem = await readText(this.certificateFile);
    // Another process may have put the folder in place after the first look.
    if (certificatePem !== undefined) keyPem ??= await readSecret(this.keyFile);
    if (certificatePem === undefined && keyPem === undefined) return undefined;
    const missing = certificatePem === undefined ? this.certificateFile : this.keyFile;
    if (certificatePem === undefined || keyPem === undefined) {
      throw new HubError("ERR_PKI", `${missing} is missing: restore it, or remove ${this.#folder} to make both anew`, {
        file: missing,
      });
    }
    const certificate = parseCertificate(certificatePem, this.certificateFile);
    if (!belongs(certificate, keyPem)) {
      throw new HubError("ERR_PKI", `${this.keyFile} is not the key of ${this.certificateFile}`, {
        file: this.keyFile,
      });
    }
    return { certificatePem, keyPem, certificate };
  }

  #opened(): Pair {
    if (this.#pair === undefined) throw new TypeError("HubCertificate is used before open()");
    return this.#pair;
  }
}

function belongs(certificate: X509Certificate, keyPem: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem));
  } catch {
    return false; // No private key at all: the message is the same, and must not quote the file.
  }
}

/** Some routers still look at the Common Name, so it is a name of the hub where there is one. */
function commonNameOf({ dns = [] }: SubjectAltNames): string {
  const own = dns.find((name) => name !== "localhost" && isDnsName(name) && name.length <= COMMON_NAME_CHARACTERS_MAX);
  return own ?? COMMON_NAME_WITHOUT_DNS;
}
