import type { QuotaCounts } from "./options.ts";

const OCTETS = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;
const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;

/** How much, as people write it. */
export interface WrittenAmount {
  /** Octets, or seconds. */
  readonly value: number;
  readonly of: "octets" | "time";
}

/** "50GB" and "1TiB" in octets, "30h" in seconds; undefined for anything else, and beyond 2^53. */
export function parseAmount(text: string): WrittenAmount | undefined {
  const [, number, unit = ""] = /^(\d{1,15}(?:\.\d{1,15})?)([A-Za-z]+)$/.exec(text) ?? [];
  const octets = (OCTETS as Readonly<Record<string, number>>)[unit];
  const factor = octets ?? (SECONDS as Readonly<Record<string, number>>)[unit];
  if (number === undefined || factor === undefined) return undefined;
  const value = Math.round(Number(number) * factor);
  if (!Number.isSafeInteger(value)) return undefined;
  return { value, of: octets === undefined ? "time" : "octets" };
}

/** What a rule's amounts are of. */
export function amountsOf(counts: QuotaCounts): WrittenAmount["of"] {
  return counts === "time" ? "time" : "octets";
}
