import type { Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";
import { readErrorCode, type ValueSource } from "./substitution.ts";

const FILES = [
  { key: "certificateFile", label: "CERTIFICATE" },
  { key: "keyFile", label: "PRIVATE KEY" },
  { key: "caFiles", label: "CERTIFICATE" },
  { key: "crlFiles", label: "X509 CRL" },
] as const;

/** Reports files of listeners that can not be read or hold something else, so that `radsec-hub check` finds them too.
 *  @param root the values of hub.yaml, right or wrong */
export function checkTlsFiles(root: unknown, readFile: ValueSource["readFile"], report: Report): void {
  for (const [index, listener] of itemsOf(valueAt(root, "radsec")).entries()) {
    for (const { key, label } of FILES) {
      const value = valueAt(listener, "tls", key);
      for (const [position, path] of itemsOf(Array.isArray(value) ? value : [value]).entries()) {
        if (typeof path !== "string" || path === "") continue;
        const message = fileProblem(path, label, readFile);
        const at = ["radsec", index, "tls", key];
        if (message !== undefined) report(Array.isArray(value) ? [...at, position] : at, message);
      }
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
