import type { PlanValues } from "../../store/user-types.ts";
import type { RateForm, VendorProfile } from "./vendor-table.ts";

/** An attribute as Dictionary.encode() reads it. */
export interface NamedValue {
  readonly name: string;
  readonly value: string | number;
}

export interface RenderedRates {
  readonly attributes: readonly NamedValue[];
  /** A rate that this vendor can not be told: there is none, and no way to say so in a CoA. */
  readonly unsaid: boolean;
}

/** Values of RADIUS integers end here: 4.29 Gbit/s where a rate is counted in bits. */
const INTEGER_MAX = 0xffff_ffff;
const BURST_SECONDS = 1.5;
const OCTET_BITS = 8;

/** @param occasion "accept": what is not limited is left out. "change": it is said where the vendor has a word for it. */
export function renderRates(
  { rates }: VendorProfile,
  { rateUpBps, rateDownBps }: PlanValues,
  occasion: "accept" | "change",
): RenderedRates {
  const known = { up: rateUpBps, down: rateDownBps };
  const none = rateUpBps === undefined && rateDownBps === undefined;
  if (none && occasion === "accept") return { attributes: [], unsaid: false };
  const attributes: NamedValue[] = [];
  let unsaid = false;
  for (const form of rates) {
    const value = "of" in form ? numberOf(form, known, occasion) : textOf(form, known);
    if (value !== undefined) attributes.push({ name: form.attribute, value });
    else if (occasion === "change") unsaid = true;
  }
  return { attributes, unsaid };
}

type Rates = Readonly<Record<"up" | "down", number | undefined>>;

function numberOf(
  { of, unitBps, unlimited }: Extract<RateForm, { of: unknown }>,
  rates: Rates,
  occasion: "accept" | "change",
): number | undefined {
  const bps = rates[of];
  if (bps === undefined) return occasion === "change" ? unlimited : undefined;
  // A rate below one unit is not "no limit".
  return Math.min(Math.max(1, Math.round(bps / unitBps)), INTEGER_MAX);
}

function textOf({ text, unlimited }: Extract<RateForm, { text: unknown }>, rates: Rates): string | undefined {
  let isWhole = true;
  const filled = text.replaceAll(
    /\{(up|down)(?::(M|burst2?))?\}/g,
    (_, of: "up" | "down", form: string | undefined) => {
      const bps = rates[of];
      if (bps !== undefined) return rateText(bps, form);
      isWhole &&= unlimited !== undefined;
      return unlimited ?? "";
    },
  );
  return isWhole ? filled : undefined;
}

function rateText(bps: number, form: string | undefined): string {
  switch (form) {
    case "M":
      if (bps % 1_000_000 === 0) return `${bps / 1_000_000}M`;
      return bps % 1_000 === 0 ? `${bps / 1_000}k` : String(bps);
    case "burst":
      return String(burstOctets(bps));
    case "burst2":
      return String(2 * burstOctets(bps));
    default:
      return String(bps);
  }
}

function burstOctets(bps: number): number {
  return Math.ceil((bps * BURST_SECONDS) / OCTET_BITS);
}
