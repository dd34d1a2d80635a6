import { createPrivateKey, X509Certificate } from "node:crypto";
import { HubError } from "../errors.ts";
import { certificateBlocks, readMaterial, secureContextOptions } from "../transport/tls-context.ts";
import { Trust } from "../transport/trust.ts";
import type { KeyPath, Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";
import { readErrorCode, type ValueSource } from "./substitution.ts";

type FileKey = "certificateFile" | "keyFile" | "caFiles" | "crlFiles";

/** What each file has to hold: a PEM label, and something that throws where the octets behind it are wrong. */
const FILES: readonly { readonly key: FileKey; readonly label: string; readonly read: (pem: string) => unknown }[] = [
  { key: "certificateFile", label: "CERTIFICATE", read: (pem) => new X509Certificate(pem) },
  { key: "keyFile", label: "PRIVATE KEY", read: createPrivateKey },
  {
    key: "caFiles",
    label: "CERTIFICATE",
    read: (pem) => certificateBlocks([pem]).map((block) => new X509Certificate(block)),
  },
  { key: "crlFiles", label: "X509 CRL", read: (pem) => new Trust({ ca: [], crl: [pem] }) },
];

type Texts = Readonly<Record<FileKey, readonly string[]>>;

/** Reports files of listeners, upstreams and instances of `rest` that can not be read, hold something else or do not belong together, so that
 *  `radsec-hub check` finds them too, all at once and with their place.
 *  @param root the values of hub.yaml, right or wrong */
export function checkTlsFiles(root: unknown, readFile: ValueSource["readFile"], report: Report): void {
  const check = (tls: unknown, path: KeyPath): void => {
    const reportHere: Report = (at, message) => report([...path, ...at], message);
    const texts = readFiles(tls, readFile, reportHere);
    if (texts !== undefined) checkTogether(texts, reportHere);
  };
  for (const section of [["radsec"], ["upstreams", "servers"]]) {
    for (const [index, item] of itemsOf(valueAt(root, ...section)).entries()) {
      check(valueAt(item, "tls"), [...section, index, "tls"]);
    }
  }
  for (const [index, item] of itemsOf(valueAt(root, "modules", "instances")).entries()) {
    if (valueAt(item, "module") !== "rest") continue;
    check(valueAt(item, "settings", "tls"), ["modules", "instances", index, "settings", "tls"]);
  }
}

/** @returns what the files say; undefined where one of them is wrong */
function readFiles(tls: unknown, readFile: ValueSource["readFile"], report: Report): Texts | undefined {
  const texts: Record<FileKey, string[]> = { certificateFile: [], keyFile: [], caFiles: [], crlFiles: [] };
  let sound = true;
  for (const { key, label, read } of FILES) {
    const value = valueAt(tls, key);
    for (const [position, path] of itemsOf(Array.isArray(value) ? value : [value]).entries()) {
      if (typeof path !== "string" || path === "") continue;
      const at = Array.isArray(value) ? [key, position] : [key];
      const text = textOf(path, readFile, (message) => report(at, message));
      const problem = text === undefined ? undefined : contentProblem(text, label, read);
      if (problem !== undefined) report(at, problem);
      if (text === undefined || problem !== undefined) sound = false;
      else texts[key].push(text);
    }
  }
  return sound ? texts : undefined;
}

function textOf(path: string, readFile: ValueSource["readFile"], fail: (message: string) => void): string | undefined {
  try {
    return readFile(path);
  } catch (error) {
    fail(`the file can not be read (${readErrorCode(error)})`);
    return undefined;
  }
}

/** No message quotes the file: it may be a key. */
function contentProblem(text: string, label: string, read: (pem: string) => unknown): string | undefined {
  // "EC PRIVATE KEY" and "TRUSTED CERTIFICATE" are such labels too.
  if (!new RegExp(`^-----BEGIN ([A-Z0-9]+ )*${label}-----`, "m").test(text))
    return `the file has no PEM block "${label}"`;
  try {
    read(text);
    return undefined;
  } catch (error) {
    if (label === "PRIVATE KEY" && /ENCRYPTED|PASSPHRASE/.test(`${text} ${readErrorCode(error)}`))
      return "the key is encrypted, and the hub has no passphrase for it";
    return `the PEM block "${label}" of the file can not be read`;
  }
}

/** What each file alone does not show: a key of another certificate, and what OpenSSL refuses (TLS-28). */
function checkTogether({ certificateFile, keyFile, caFiles, crlFiles }: Texts, report: Report): void {
  const [certificate] = certificateFile;
  const [key] = keyFile;
  if (certificate === undefined || key === undefined) return;
  if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key)))
    return report(["keyFile"], "the key does not belong to the certificate in certificateFile");
  try {
    readMaterial("OpenSSL refuses it", () =>
      secureContextOptions({ certificate, key, ca: caFiles, crl: crlFiles, minVersion: "TLSv1.2" }),
    );
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    report([], error.message);
  }
}
