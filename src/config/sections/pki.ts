import type { z } from "zod";
import { hostName } from "../identities.ts";
import { section } from "../section.ts";
import { flag, list, text } from "../values.ts";

export const pkiSection = section({
  development: flag(
    "Whether listeners without certificate files use a development CA and hub certificate, made on first start.",
  ).default(true),
  folder: text("Folder of the development PKI, relative to the working directory.").prefault("var/pki"),
  names: list(
    "Names and addresses of the hub in its development certificate.",
    hostName("A DNS name or an IP address."),
  ).prefault(["localhost", "127.0.0.1", "::1"]),
});

export interface PkiConfig {
  readonly development: boolean;
  readonly folder: string;
  readonly names: readonly string[];
}

export function pkiConfig(values: z.output<typeof pkiSection>): PkiConfig {
  return { development: values.development, folder: values.folder, names: values.names };
}
