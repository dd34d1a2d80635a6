import { z } from "zod";
import type { SharedSecret } from "../../radius/authenticator.ts";
import { codeName, parseCode } from "../../radius/codes.ts";
import type { ClientEntry, ClientMatch } from "../../transport/client-entry.ts";
import { dnsName, fingerprint, ipAddress } from "../identities.ts";
import type { Report } from "../problem.ts";
import { reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, count, flag, list, name, network, oneOrMany, refuse, secret, text } from "../values.ts";

const san = section({
  dns: oneOrMany("dNSName; *.example.net stands for any one label in front.", dnsName("A DNS name.")).optional(),
  ip: oneOrMany("iPAddress.", ipAddress("An IP address.")).optional(),
  uri: oneOrMany("uniformResourceIdentifier.", text("A URI.")).optional(),
  email: oneOrMany("rfc822Name.", text("An e-mail address.")).optional(),
}).meta({ description: "Subject alternative names, one of which the certificate must have." });

const match = section(
  {
    san: san.optional(),
    commonName: oneOrMany("Subject Common Name.", text("A Common Name.")).optional(),
    fingerprint: oneOrMany("SHA-256 of the certificate.", fingerprint("A SHA-256 fingerprint.")).optional(),
    issuer: text('Distinguished name of the CA, such as "CN=Example CA, O=Example".').optional(),
    network: oneOrMany("Networks, one of which must hold the address of the peer.", network("A network.")).optional(),
    admitEvery: flag("Whether every certificate that fits the other keys is admitted.").default(false),
  },
  matchRules,
).meta({ description: "What the certificate must have; all keys that are given must hold." });

function matchRules(values: unknown, report: Report): void {
  const sanOfEntry = valueAt(values, "san");
  const sanNames = ["dns", "ip", "uri", "email"].some((kind) => valueAt(sanOfEntry, kind) !== undefined);
  const names = sanNames || ["commonName", "fingerprint"].some((key) => valueAt(values, key) !== undefined);
  // TLS-13, TLS-14: identity is a name that the entry lists; anything wider must be said aloud.
  if (!names && valueAt(values, "admitEvery") === false) {
    report(
      [],
      "names no san, commonName or fingerprint, so it would admit every certificate of the CA; if that is meant, add admitEvery: true",
    );
  }
}

/** A code that the hub may send, by name or number. */
const requestCode = z
  .union([z.int(), z.string()], "must be the name or number of a RADIUS code")
  .transform((value, context) => {
    const code = parseCode(String(value));
    if (code === undefined) return refuse(context, "must be the name or number (1 to 255) of a RADIUS code");
    if (REPLY_CODES.has(code)) return refuse(context, `${codeName(code)} is a reply; list codes of requests`);
    return code;
  })
  .meta({ description: "A RADIUS code." });

const REPLY_CODES: ReadonlySet<number> = new Set([2, 3, 5, 11, 41, 42, 44, 45, 52]);

const entry = section({
  name: name("Name of the entry in logs, in the API and in select rules."),
  match,
  secret: secret("RADIUS shared secret; without it that of the listener.").optional(),
  // IDX-01
  reverse: list("Codes that the hub may send to this peer; [] is none.", requestCode).prefault([
    "CoA-Request",
    "Disconnect-Request",
  ]),
  mayTrigger: flag("Whether the peer may ask for a Disconnect or CoA of other peers.").default(false),
  requireMessageAuthenticator: flag("Whether packets without Message-Authenticator are discarded.").default(false),
  statusServer: flag("Whether its Status-Servers are answered; without it as in section status.").optional(), // ST-10
  coalesce: choice("all: responses of one tick share a TLS write. none: each is a write of its own.", [
    "none",
    "all",
  ]).default("none"),
  vendor: text("Vendor whose habits the router has.").optional(),
  sharedNasIdentifiers: list(
    "NAS-Identifiers that several peers of this entry may hold at once.",
    text("A NAS-Identifier."),
  ),
  linksPerPeer: count("Links of one peer of this entry; without it the limit of the listener.", 1, 100_000).optional(),
}).meta({ description: "Who may connect, and what the peer may do. The first entry that matches counts." });

export const clientsSection = withRules(list("Who may connect; nobody else does.", entry), (entries, report) =>
  reportDuplicates(entries, "name", "client name", report),
);

export type ClientValues = z.output<typeof entry>;

/** @param secretOfListener for entries that name none */
export function clientEntry(values: ClientValues, secretOfListener: SharedSecret): ClientEntry {
  return {
    name: values.name,
    transport: "tls",
    role: "nas",
    reach: undefined,
    filter: undefined,
    limitProxyState: false,
    dynauthPort: 3799,
    match: clientMatch(values.match),
    secret: values.secret ?? secretOfListener,
    reverse: new Set(values.reverse),
    mayTrigger: values.mayTrigger,
    requireMessageAuthenticator: values.requireMessageAuthenticator,
    ...(values.statusServer === undefined ? {} : { statusServer: values.statusServer }),
    coalesce: values.coalesce,
    vendor: values.vendor,
    // One character an octet, as the registry keeps names (IDX-05).
    sharedNasIdentifiers: new Set(values.sharedNasIdentifiers.map((text) => Buffer.from(text).toString("latin1"))),
    linksMax: values.linksPerPeer,
  };
}

function clientMatch({
  san: names,
  fingerprint: fingerprint256,
  admitEvery,
  ...rest
}: ClientValues["match"]): ClientMatch {
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
