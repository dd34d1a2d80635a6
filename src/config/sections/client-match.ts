import type { z } from "zod";
import type { ClientEntry, ClientMatch } from "../../transport/client-entry.ts";
import { dnsName, fingerprint, ipAddress } from "../identities.ts";
import type { Report } from "../problem.ts";
import { section, valueAt } from "../section.ts";
import { flag, network, oneOrMany, text } from "../values.ts";
import { pskSection } from "./client-psk.ts";

const san = section({
  dns: oneOrMany("dNSName; *.example.net stands for any one label in front.", dnsName("A DNS name.")).optional(),
  ip: oneOrMany("iPAddress.", ipAddress("An IP address.")).optional(),
  uri: oneOrMany("uniformResourceIdentifier.", text("A URI.")).optional(),
  email: oneOrMany("rfc822Name.", text("An e-mail address.")).optional(),
}).meta({ description: "Subject alternative names, one of which the certificate must have." });

export const clientMatchSection = section({
  san: san.optional(),
  commonName: oneOrMany("Subject Common Name.", text("A Common Name.")).optional(),
  fingerprint: oneOrMany("SHA-256 of the certificate.", fingerprint("A SHA-256 fingerprint.")).optional(),
  issuer: text('Distinguished name of the CA, such as "CN=Example CA, O=Example".').optional(),
  psk: oneOrMany("Pre-shared keys (RFC 9813) of routers that have no certificate.", pskSection).optional(),
  network: oneOrMany("Networks, one of which must hold the address of the peer.", network("A network.")).optional(),
  admitEvery: flag("Whether every certificate that fits the other keys is admitted.").default(false),
}).meta({ description: "What the peer must have; all keys that are given must hold. Over udp and tcp: only network." });

/** What `match` must say depends on what a peer of this transport can prove. */
export function matchRules(transport: ClientEntry["transport"], match: unknown, report: Report): void {
  if (typeof match !== "object" || match === null) return; // told already
  if (transport !== "tls") addressRules(transport, match, report);
  else if (valueAt(match, "psk") !== undefined) pskOnlyRules(match, report);
  else certificateRules(match, report);
}

const OF_CERTIFICATES = ["san", "commonName", "fingerprint", "issuer"];

/** A peer proves a PSK or a certificate, never both. */
function pskOnlyRules(match: object, report: Report): void {
  for (const key of OF_CERTIFICATES) {
    if (valueAt(match, key) !== undefined) report([key], "is about certificates: a peer with a PSK has none");
  }
  if (valueAt(match, "admitEvery") === true)
    report(["admitEvery"], "is about certificates: a peer with a PSK has none");
}

function certificateRules(match: object, report: Report): void {
  const sanNames = ["dns", "ip", "uri", "email"].some((kind) => valueAt(match, "san", kind) !== undefined);
  const names = sanNames || ["commonName", "fingerprint"].some((key) => valueAt(match, key) !== undefined);
  // TLS-13, TLS-14: identity is a name that the entry lists; anything wider must be said aloud.
  if (!names && valueAt(match, "admitEvery") === false) {
    report(
      [],
      "names no san, commonName, fingerprint or psk, so it would admit every certificate of the CA; if that is meant, add admitEvery: true",
    );
  }
}

/** UL-01: over UDP and TCP the source address is all there is. */
function addressRules(transport: string, match: object, report: Report): void {
  for (const key of OF_CERTIFICATES) {
    if (valueAt(match, key) !== undefined) report([key], `is about certificates, and transport: ${transport} has none`);
  }
  if (valueAt(match, "psk") !== undefined)
    report(["psk"], `is about TLS: with transport: ${transport} there is secret`);
  if (valueAt(match, "admitEvery") === true) {
    report(["admitEvery"], `is about certificates; with transport: ${transport} whoever is in network is admitted`);
  }
  if (valueAt(match, "network") === undefined) {
    report([], `needs network: with transport: ${transport} a peer is known by its address alone`);
  }
}

export function clientMatch({
  san: names,
  fingerprint: fingerprint256,
  admitEvery,
  ...rest
}: z.output<typeof clientMatchSection>): ClientMatch {
  return withoutUndefined({
    ...rest,
    san: names === undefined ? undefined : withoutUndefined(names),
    fingerprint256,
    admitEvery: admitEvery || undefined,
  });
}

type WithoutUndefined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function withoutUndefined<T extends object>(value: T): WithoutUndefined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as WithoutUndefined<T>;
}
