import { generate } from "selfsigned";
import { type Clock, systemClock } from "../src/clock.ts";
import { altNamesOfNas, hostNames, type SubjectAltNames } from "./subject-alt-names.ts";

/** A certificate and its private key, both PEM. */
export interface Credentials {
  readonly certificatePem: string;
  readonly keyPem: string;
}

export interface ThrowAwayOptions {
  /** Further names of the hub, beside localhost, 127.0.0.1 and ::1. */
  readonly hubNames?: readonly string[];
  /** Common Name of the CA. Each call makes another CA: under the same name its certificates fail with a bad signature, under
   *  another name with an unknown issuer. */
  readonly caName?: string;
  readonly clock?: Clock;
}

interface ThrowAwayCertificate {
  /** Default: the Common Name, as DNS name where it can be one. Written unchecked, for tests of bad names. "none" leaves the Common Name alone to speak for the NAS. */
  readonly san?: Omit<SubjectAltNames, "naiRealm"> | "none";
  readonly validity?: Validity;
  readonly usage?: "clientAuth" | "serverAuth" | "both";
}

/** In words for the usual cases, in milliseconds since 1970 UTC (whole seconds on the wire) for the rest. */
type Validity = "valid" | "expired" | "not-yet-valid" | { readonly notBeforeMs: number; readonly notAfterMs: number };

export interface ThrowAwayPki {
  readonly ca: Credentials;
  readonly hub: Credentials;
  /** Makes a NAS certificate with this Common Name. */
  nas(commonName: string, options?: ThrowAwayCertificate): Promise<Credentials>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Without these words selfsigned signs RSA with SHA-1 (TLS-28). */
const EC_SHA256 = { keyType: "ec", curve: "P-256", algorithm: "sha256" } as const;

/** Makes a CA and a hub certificate in memory for the demo and the tests. It has no key identifiers and no CRL: what has to
 *  last comes from development.ts. */
export async function makeThrowAwayPki(options: ThrowAwayOptions = {}): Promise<ThrowAwayPki> {
  const clock = options.clock ?? systemClock;
  const made = await generate(subject(options.caName ?? "radsec-hub throw-away CA"), {
    ...EC_SHA256,
    ...dates("valid", clock),
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
    ],
  });
  const ca: Credentials = { certificatePem: made.cert, keyPem: made.private };
  const hubNames = hostNames(["localhost", "127.0.0.1", "::1", ...(options.hubNames ?? [])]);
  return {
    ca,
    hub: await issue(ca, clock, "radsec-hub", { san: hubNames, usage: "serverAuth" }),
    nas: (commonName, certificate = {}) => issue(ca, clock, commonName, certificate),
  };
}

async function issue(
  ca: Credentials,
  clock: Clock,
  commonName: string,
  { san = altNamesOfNas(commonName), validity = "valid", usage = "clientAuth" }: ThrowAwayCertificate,
): Promise<Credentials> {
  const altNames = san === "none" ? [] : entries(san);
  const made = await generate(subject(commonName), {
    ...EC_SHA256,
    ...dates(validity, clock),
    ca: { key: ca.keyPem, cert: ca.certificatePem },
    // Given a list, selfsigned adds nothing of its own: neither usages nor a SAN from the Common Name.
    extensions: [
      { name: "basicConstraints", cA: false, critical: true },
      { name: "keyUsage", digitalSignature: true, critical: true },
      { name: "extKeyUsage", serverAuth: usage !== "clientAuth", clientAuth: usage !== "serverAuth" },
      ...(altNames.length > 0 ? [{ name: "subjectAltName" as const, altNames }] : []),
    ],
  });
  return { certificatePem: made.cert, keyPem: made.private };
}

/** selfsigned joins the parts of a name with commas and parses the result again, so separators are escaped. */
function subject(commonName: string): { name: string; value: string }[] {
  return [{ name: "commonName", value: commonName.replace(/[,+"\\<>;]/g, "\\$&") }];
}

function entries({ dns = [], ip = [], uri = [], email = [] }: SubjectAltNames) {
  return [
    ...dns.map((value) => ({ type: 2 as const, value })),
    ...ip.map((address) => ({ type: 7 as const, ip: address })),
    ...uri.map((value) => ({ type: 6 as const, value })),
    ...email.map((value) => ({ type: 1 as const, value })),
  ];
}

function dates(validity: Validity, clock: Clock): { notBeforeDate: Date; notAfterDate: Date } {
  const nowMs = clock.wallMs();
  const between = (notBeforeMs: number, notAfterMs: number) => ({
    notBeforeDate: new Date(notBeforeMs),
    notAfterDate: new Date(notAfterMs),
  });
  if (typeof validity === "object") return between(validity.notBeforeMs, validity.notAfterMs);
  switch (validity) {
    case "valid":
      return between(nowMs - HOUR_MS, nowMs + 30 * DAY_MS);
    case "expired":
      return between(nowMs - 2 * DAY_MS, nowMs - HOUR_MS);
    case "not-yet-valid":
      return between(nowMs + DAY_MS, nowMs + 30 * DAY_MS);
  }
}
