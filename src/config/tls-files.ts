import type { Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";
import { readErrorCode, type ValueSource } from "./substitution.ts";

const FILES = [
  { key: "certificateFile", label: "CERTIFICATE" },
  { key: "keyFile", label: "PRIVATE KEY" },
  { key: "caFiles", label: "CERTIFICATE" },
  { key: "crlFiles", label: "X509 CRL" },
] as const;

/** Reports files of listeners, upstreams and instances of `rest` that can not be read or hold something else, so that `radsec-hub check` finds
 *  them too.
 *  @param root the values of hub.yaml, right or wrong */
export function checkTlsFiles(root: unknown, readFile: ValueSource["readFile"], report: Report): void {
  for (const section of [["radsec"], ["upstreams", "servers"]]) {
    for (const [index, item] of itemsOf(valueAt(root, ...section)).entries()) {
      const path = [...section, index, "tls"];
      checkFiles(valueAt(item, "tls"), readFile, (at, message) => report([...path, ...at], message));
    }
  }
  for (const [index, item] of itemsOf(valueAt(root, "modules", "instances")).entries()) {
    if (valueAt(item, "module") !== "rest") continue;
    const path = ["modules", "instances", index, "settings", "tls"];
    checkFiles(valueAt(item, "settings", "tls"), readFile, (at, message) => report([...path, ...at], message));
  }
}

function checkFiles(tls: unknown, readFile: ValueSource["readFile"], report: Report): void {
  for (const { key, label } of FILES) {
    const value = valueAt(tls, key);
    for (const [position, path] of itemsOf(Array.isArray(value) ? value : [value]).entries()) {
      if (typeof path !== "string" || path === "") continue;
      const message = fileProblem(path, label, readFile);
      if (message !== undefined) report(Array.isArray(value) ? [key, position] : [key], message);
    }
  }
}

function fileProblem(path: string, label: string, readFile: ValueSource["readFile"]): string | undefined {
  try {
    // "EC PRIVATE KEY" and "TRUSTED CERTIFICATE" are such labels too.
    if (new RegExp(`^-----BEGIN ([A-Z0-9]+ )*${label}-----`, "m").test(readFile(path))) return undefined;
    return `the file has no PEM block "${label}"`;
  } catch (error) {
    return `the file can not be read (${readErrorCode(error)})`;
  }
}
