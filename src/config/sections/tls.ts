import type { z } from "zod";
import { leavesCiphers } from "../../transport/tls-context.ts";
import type { Report } from "../problem.ts";
import { section, valueAt } from "../section.ts";
import { choice, list, text } from "../values.ts";

/** The same for listeners and for upstreams, but for whom the CAs vouch.
 *  @param peers "routers", "server" */
export function tlsSection(peers: string) {
  return section(
    {
      certificateFile: text(
        "PEM file of the hub certificate and its chain; without it the development PKI.",
      ).optional(),
      keyFile: text("PEM file of the private key.").optional(),
      // TLS-10: the system's CAs are never trusted.
      caFiles: list(`PEM files of the CAs whose ${peers} are trusted; no others are.`, text("A PEM file.")),
      crlFiles: list("PEM files of revocation lists of those CAs.", text("A PEM file.")),
      minVersion: choice("Oldest TLS version accepted.", ["TLSv1.2", "TLSv1.3"]).default("TLSv1.2"),
      ciphers: text("OpenSSL cipher list for TLS 1.2; without it ECDHE with AES-GCM or ChaCha20.")
        // TLS-06: a list may name these only to leave them out.
        .refine(
          (value) =>
            !/(^|[:, ])\+?[^!:, -][^:, ]*(NULL|RC4|DES|MD5|EXP)|(^|[:, ])(NULL|RC4|DES|MD5|EXP|ADH|AECDH|aNULL|eNULL)/.test(
              value,
            ),
          { error: "must not name NULL, RC4, DES, MD5, export or anonymous suites", abort: true },
        )
        .refine(leavesCiphers, "leaves no cipher suite that OpenSSL knows")
        .optional(),
    },
    (values, report) => tlsRules(values, peers, report),
  );
}

function tlsRules(values: unknown, peers: string, report: Report): void {
  const own = valueAt(values, "certificateFile") !== undefined;
  if (own && valueAt(values, "keyFile") === undefined) report(["keyFile"], "is required beside certificateFile");
  for (const key of ["keyFile", "caFiles", "crlFiles"]) {
    const value = valueAt(values, key);
    const present = value !== undefined && !(Array.isArray(value) && value.length === 0);
    if (!own && present) report([key], "needs certificateFile: without it the development PKI is used");
    // TLS-10: who trusts nobody talks to nobody.
    if (own && !present && key === "caFiles")
      report([key], `is required beside certificateFile: list the CAs of the ${peers}`);
  }
}

/** What hub.ts turns into ListenerTlsOptions by reading the files. */
export interface TlsConfig {
  /** The files are undefined together, when the development PKI is to be used. */
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly caFiles: readonly string[] | undefined;
  readonly crlFiles: readonly string[] | undefined;
  readonly minVersion: "TLSv1.2" | "TLSv1.3";
  readonly ciphers?: string;
}

export function tlsConfig(values: z.output<ReturnType<typeof tlsSection>>): TlsConfig {
  const { certificateFile, keyFile, caFiles, crlFiles, minVersion, ciphers } = values;
  const own = certificateFile !== undefined;
  return {
    certificateFile,
    keyFile,
    caFiles: own ? caFiles : undefined,
    crlFiles: own ? crlFiles : undefined,
    minVersion,
    ...(ciphers === undefined ? {} : { ciphers }),
  };
}
