import { z } from "zod";
import { section } from "../section.ts";
import { choice, text } from "../values.ts";

const MONGODB = /^mongodb(\+srv)?:\/\//;
/** A store that there is not would become a file of that name. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i;

/** `store: var/hub.db` stands for a map with nothing but the url. */
export const storeSection = z
  .preprocess(
    (value) => (typeof value === "string" ? { url: value } : value),
    section({
      url: text("File of the embedded store, or mongodb://... of a MongoDB.")
        .refine((url) => MONGODB.test(url) || !SCHEME.test(url), "must be a file or mongodb://...")
        .prefault("var/hub.db"),
      synchronous: choice(
        "Embedded store: full is durable through a power cut; normal may then lose the last commits, and is faster.",
        ["full", "normal"],
      ).default("full"),
      backups: text("Embedded store: folder of the copies that POST /v1/backup makes.").prefault("var/backups"),
    }),
  )
  .meta({ description: "Where acct sessions, usage and the like are kept.", shorthand: true });

export type StoreConfig =
  | {
      readonly kind: "sqlite";
      readonly file: string;
      readonly synchronous: "full" | "normal";
      readonly backups: string;
    }
  | { readonly kind: "mongodb"; readonly url: string };

export function storeConfig({ url, synchronous, backups }: z.output<typeof storeSection>): StoreConfig {
  return MONGODB.test(url) ? { kind: "mongodb", url } : { kind: "sqlite", file: url, synchronous, backups };
}
