import { HubError } from "../src/errors.ts";
import { appendLine, readText } from "./whole-files.ts";

export interface IssuedCertificate {
  /** Hexadecimal, upper case, as openssl prints it. */
  readonly serial: string;
  readonly name: string;
  readonly usage: "serverAuth" | "clientAuth";
  /** Milliseconds since 1970 UTC. */
  readonly notAfterMs: number;
  readonly revokedAtMs: number | undefined;
}

type Entry =
  | {
      readonly event: "issued";
      readonly serial: string;
      readonly name: string;
      readonly usage: string;
      readonly notAfter: string;
    }
  | { readonly event: "revoked"; readonly serial: string; readonly at: string };

/** 64 Ki certificates or so; a CA that has issued more wants a real one. */
const LEDGER_CHARACTERS_MAX = 16 * 1024 * 1024;

/** What the CA has issued and revoked, one JSON object a line. Lines are only ever added, so two processes need no lock.
 *  A line that cannot be read is an error: skipping it could forget a revocation. */
export class Ledger {
  readonly file: string;

  constructor(file: string) {
    this.file = file;
  }

  /** Called before the certificate reaches its folder: none is out that is not listed. */
  async issued(certificate: Omit<IssuedCertificate, "revokedAtMs">): Promise<void> {
    const { serial, name, usage, notAfterMs } = certificate;
    await this.#append({ event: "issued", serial, name, usage, notAfter: new Date(notAfterMs).toISOString() });
  }

  async revoked(serial: string, atMs: number): Promise<void> {
    await this.#append({ event: "revoked", serial, at: new Date(atMs).toISOString() });
  }

  /** In the order of issue. @throws {HubError} ERR_PKI naming file and line */
  async certificates(): Promise<IssuedCertificate[]> {
    const found = new Map<string, IssuedCertificate>();
    for (const entry of await this.#entries()) {
      if (entry.event === "issued") {
        const { serial, name, usage } = entry;
        if (usage !== "serverAuth" && usage !== "clientAuth") continue;
        found.set(serial, { serial, name, usage, notAfterMs: Date.parse(entry.notAfter), revokedAtMs: undefined });
      } else {
        const issued = found.get(entry.serial);
        // The first revocation counts: a second one must not move the date forward.
        if (issued !== undefined && issued.revokedAtMs === undefined) {
          found.set(entry.serial, { ...issued, revokedAtMs: Date.parse(entry.at) });
        }
      }
    }
    return [...found.values()];
  }

  async #append(entry: Entry): Promise<void> {
    await appendLine(this.file, JSON.stringify(entry));
  }

  async #entries(): Promise<Entry[]> {
    const text = (await readText(this.file)) ?? "";
    if (text.length > LEDGER_CHARACTERS_MAX) {
      throw new HubError("ERR_PKI", `${this.file} is too long`, {
        file: this.file,
        charactersMax: LEDGER_CHARACTERS_MAX,
      });
    }
    const entries: Entry[] = [];
    for (const [index, line] of text.split("\n").entries()) {
      if (line === "") continue;
      const entry = parseEntry(line);
      if (entry === undefined) {
        throw new HubError("ERR_PKI", `${this.file}:${index + 1} is not an entry of the ledger`, { file: this.file });
      }
      entries.push(entry);
    }
    return entries;
  }
}

function parseEntry(line: string): Entry | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined; // The caller names file and line, which says more than JSON.parse() does.
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { event, serial, name, usage, notAfter, at } = value as Readonly<Record<string, unknown>>;
  if (typeof serial !== "string" || !/^[0-9A-F]+$/.test(serial)) return undefined;
  if (event === "revoked") return isDate(at) ? { event, serial, at } : undefined;
  if (event !== "issued" || typeof name !== "string" || typeof usage !== "string") return undefined;
  return isDate(notAfter) ? { event, serial, name, usage, notAfter } : undefined;
}

function isDate(value: unknown): value is string {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}
