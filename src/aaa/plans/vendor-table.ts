/** How the routers of one vendor are told what a user gets. */
export interface VendorProfile {
  /** As `vendor` of a `clients` entry names it, lower case. */
  readonly names: readonly string[];
  /** Attributes of the rates; empty where the vendor knows rates by the name of a group alone. */
  readonly rates: readonly RateForm[];
  /** Attribute of PlanValues.group. */
  readonly group: string;
  /** How an open acct session gets other values: by CoA, or only by a Disconnect and a new login. */
  readonly change: "coa" | "disconnect";
}

export type RateForm = RateNumber | RateText;

/** One rate as a number. */
interface RateNumber {
  readonly attribute: string;
  readonly of: "up" | "down";
  readonly unitBps: 1 | 1_000;
  /** What takes a rate away in a CoA; without it nothing does. */
  readonly unlimited?: number;
}

/** Rates in a text: {up} and {down} in bits per second, {up:M} as RouterOS writes it ("2M", "512k"), {up:burst} the octets of 1.5
 *  seconds, {up:burst2} twice that. Left out unless every rate in it is known or can be `unlimited`. */
interface RateText {
  readonly attribute: string;
  readonly text: string;
  readonly unlimited?: string;
}

const WISPR = [
  { attribute: "WISPr-Bandwidth-Max-Up", of: "up", unitBps: 1 },
  { attribute: "WISPr-Bandwidth-Max-Down", of: "down", unitBps: 1 },
] as const satisfies readonly RateForm[];

const POLICED = "conform-action transmit exceed-action drop";

/** Every vendor that the hub can speak to: one more is one more entry, and its attributes in config/dictionaries. */
export const VENDORS = [
  { names: ["default"], rates: WISPR, group: "Filter-Id", change: "coa" },
  {
    // Rates as the router sees them: it receives what the user sends. "2M/10M" is 2M up and 10M down.
    names: ["mikrotik"],
    rates: [{ attribute: "Mikrotik-Rate-Limit", text: "{up:M}/{down:M}", unlimited: "0" }],
    group: "Mikrotik-Group",
    change: "coa",
  },
  {
    // In kbit/s; 0 is no limit.
    names: ["chillispot", "coovachilli"],
    rates: [
      { attribute: "ChilliSpot-Bandwidth-Max-Up", of: "up", unitBps: 1_000, unlimited: 0 },
      { attribute: "ChilliSpot-Bandwidth-Max-Down", of: "down", unitBps: 1_000, unlimited: 0 },
    ],
    group: "Filter-Id",
    change: "coa",
  },
  {
    // ISG: a QoS policy with class-default must be active on the session, which these then change.
    names: ["cisco", "cisco-isg"],
    rates: [
      { attribute: "Cisco-AVPair", text: "ip:qos-policy-in=add-class(sub,(class-default),police({up}))" },
      { attribute: "Cisco-AVPair", text: "ip:qos-policy-out=add-class(sub,(class-default),police({down}))" },
    ],
    group: "Filter-Id",
    change: "coa",
  },
  {
    // Commands for the virtual interface, which are given once, when it is made.
    names: ["cisco-ppp"],
    rates: [
      {
        attribute: "Cisco-AVPair",
        text: `lcp:interface-config#1=rate-limit input {up} {up:burst} {up:burst2} ${POLICED}`,
      },
      {
        attribute: "Cisco-AVPair",
        text: `lcp:interface-config#2=rate-limit output {down} {down:burst} {down:burst2} ${POLICED}`,
      },
    ],
    group: "Filter-Id",
    change: "disconnect",
  },
  { names: ["ruckus"], rates: WISPR, group: "Ruckus-User-Groups", change: "coa" },
  // Rates belong to the role.
  { names: ["aruba"], rates: [], group: "Aruba-User-Role", change: "coa" },
  // Their dynamic authorisation knows Disconnect alone.
  { names: ["ubiquiti", "unifi"], rates: WISPR, group: "Filter-Id", change: "disconnect" },
  { names: ["hostapd", "openwrt"], rates: WISPR, group: "Filter-Id", change: "disconnect" },
] as const satisfies readonly VendorProfile[];

const BY_NAME = new Map<string, VendorProfile>(
  VENDORS.flatMap((profile) => profile.names.map((name) => [name, profile] as const)),
);

/** The profile of a vendor, any case; the first one for a vendor that is not in the table. */
export function vendorProfile(vendor: string | undefined): VendorProfile {
  return BY_NAME.get(vendor?.toLowerCase() ?? "default") ?? VENDORS[0];
}
