import type { z } from "zod";
import type { AttributePlace } from "../../radius/attribute-place.ts";
import type { SharedSecret } from "../../radius/authenticator.ts";
import type { ClientEntry } from "../../transport/client-entry.ts";
import { ipAddress } from "../identities.ts";
import type { Report } from "../problem.ts";
import { requestCode } from "../radius-codes.ts";
import { itemsOf, reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { choice, count, flag, list, name, secret, text } from "../values.ts";
import { fallbackRules, udpFallback, udpFallbackSection } from "./client-fallback.ts";
import { clientMatch, clientMatchSection, matchRules } from "./client-match.ts";
import { filterOf, filterSection, reachOf, reachSection } from "./client-reach.ts";
import { nasNameRules } from "./one-nas.ts";

const TRANSPORTS = ["tls", "udp", "tcp"] as const;
/** RFC 5176 Section 2.3 (UC-01). */
const DYNAUTH_PORT = 3799;

const entry = section(
  {
    name: name("Name of the entry in logs, in the API and in select rules."),
    transport: choice("Which listeners the peer speaks to: those of radsec, udp or tcp.", TRANSPORTS).default("tls"),
    match: clientMatchSection,
    role: choice("nas: a router. proxy, hub: passes requests on, and gets our Proxy-State so that loops end.", [
      "nas",
      "proxy",
      "hub",
    ]).default("nas"),
    secret: secret(
      "RADIUS shared secret; with tls that of the listener stands in, with udp and tcp none does.",
    ).optional(),
    // IDX-01
    reverse: list("Codes that the hub may send to this peer; [] is none.", requestCode).prefault([
      "CoA-Request",
      "Disconnect-Request",
    ]),
    mayTrigger: flag("Whether the peer may ask for a Disconnect or CoA of other peers.").default(false),
    reach: reachSection.optional(),
    filter: filterSection.optional(),
    // BR-02, BR-06: its default differs.
    requireMessageAuthenticator: flag(
      "Whether replies without Message-Authenticator are discarded, over udp and tcp Access-Requests too; default: true over udp and tcp, false over tls.",
    ).optional(),
    // BR-03
    limitProxyState: flag(
      "Over udp and tcp: whether an Access-Request with Proxy-State and without Message-Authenticator is discarded.",
    ).default(false),
    dynauthPort: count("Over udp: where the router takes Disconnect and CoA; default 3799.", 1, 65_535).optional(),
    udpFallback: udpFallbackSection.optional(),
    statusServer: flag("Whether its Status-Servers are answered; without it as in section status.").optional(), // ST-10
    coalesce: choice("all: responses of one tick share a write. none: each is a write of its own.", [
      "none",
      "all",
    ]).default("none"),
    vendor: text("Vendor whose habits the router has.").optional(),
    // UL-12
    swapOctets: flag("Whether Acct-Input is what the user downloads: some vendors count the other way.").default(false),
    // DP-16
    nasIdentifier: text(
      "What its one router is called in requests while it has said nothing of itself: NAS-Identifier.",
    ).optional(),
    nasAddress: ipAddress("The same: NAS-IP-Address or NAS-IPv6-Address.").optional(),
    sharedNasIdentifiers: list(
      "NAS-Identifiers that several peers of this entry may hold at once.",
      text("A NAS-Identifier."),
    ),
    linksPerPeer: count(
      "Links of one peer of this entry; without it the limit of the listener.",
      1,
      100_000,
    ).optional(),
  },
  entryRules,
).meta({
  description:
    "Who may connect, and what the peer may do. Over tls the first entry that matches counts, over udp and tcp the longest network.",
});

function entryRules(values: unknown, report: Report): void {
  const transport = valueAt(values, "transport") as ClientEntry["transport"] | undefined;
  if (transport === undefined || !TRANSPORTS.includes(transport)) return; // told already
  matchRules(transport, valueAt(values, "match"), (path, message) => report(["match", ...path], message));
  if (transport === "tls") fallbackRules(values, report);
  nasNameRules(transport, values, report);
  for (const { key, given, where } of ELSEWHERE) {
    if (given(valueAt(values, key)) && !where.includes(transport)) {
      report([key], `has no meaning with transport: ${transport}, only with ${where.join(" and ")}`);
    }
  }
  if (transport !== "tls" && valueAt(values, "secret") === undefined) {
    report(["secret"], `is required: with transport: ${transport} it is all that proves a packet`);
  }
}

const present = (value: unknown) => value !== undefined;

/** Keys that only some transports have. */
const ELSEWHERE: readonly {
  readonly key: string;
  readonly given: (value: unknown) => boolean;
  readonly where: readonly ClientEntry["transport"][];
}[] = [
  { key: "linksPerPeer", given: present, where: ["tls", "tcp"] },
  { key: "coalesce", given: (value) => value === "all", where: ["tls", "tcp"] },
  { key: "limitProxyState", given: (value) => value === true, where: ["udp", "tcp"] }, // BR-06
  { key: "dynauthPort", given: present, where: ["udp"] },
  { key: "udpFallback", given: present, where: ["tls"] },
];

export const clientsSection = withRules(list("Who may connect; nobody else does.", entry), (entries, report) => {
  reportDuplicates(entries, "name", "client name", report);
  duplicateNetworks(entries, report);
});

/** The longest network decides over udp and tcp, so that two equal ones leave it open whose secret counts. */
function duplicateNetworks(entries: unknown, report: Report): void {
  const seen = new Map<string, number>();
  for (const [index, client] of itemsOf(entries).entries()) {
    const transport = valueAt(client, "transport");
    if (transport !== "udp" && transport !== "tcp") continue;
    for (const [position, network] of itemsOf(valueAt(client, "match", "network")).entries()) {
      const key = `${transport} ${String(network)}`;
      const earlier = seen.get(key);
      if (earlier === undefined) seen.set(key, index);
      else report([index, "match", "network", position], `duplicate network: clients[${earlier}] has the same`);
    }
  }
}

export type ClientValues = z.output<typeof entry>;

export interface ClientContext {
  /** For entries over TLS that name none. */
  readonly secretOfListener: SharedSecret;
  /** Finds an attribute by its name; all names are known to exist. */
  readonly placeOf: (name: string) => AttributePlace;
}

export function clientEntry(values: ClientValues, { secretOfListener, placeOf }: ClientContext): ClientEntry {
  return {
    name: values.name,
    transport: values.transport,
    match: clientMatch(values.match),
    role: values.role,
    secret: values.secret ?? secretOfListener,
    reverse: new Set(values.reverse),
    mayTrigger: values.mayTrigger,
    reach: reachOf(values.reach),
    filter: filterOf(values.filter, placeOf),
    requireMessageAuthenticator: values.requireMessageAuthenticator ?? values.transport !== "tls",
    limitProxyState: values.limitProxyState,
    dynauthPort: values.dynauthPort ?? DYNAUTH_PORT,
    ...(values.udpFallback === undefined ? {} : { udpFallback: udpFallback(values.udpFallback) }),
    ...(values.statusServer === undefined ? {} : { statusServer: values.statusServer }),
    coalesce: values.coalesce,
    vendor: values.vendor,
    swapOctets: values.swapOctets,
    ...(values.nasIdentifier === undefined ? {} : { nasIdentifier: latin1(values.nasIdentifier) }),
    ...(values.nasAddress === undefined ? {} : { nasAddress: values.nasAddress }),
    sharedNasIdentifiers: new Set(values.sharedNasIdentifiers.map(latin1)),
    linksMax: values.linksPerPeer,
  };
}

/** One character an octet, as the registry keeps names (IDX-05). */
function latin1(name: string): string {
  return Buffer.from(name).toString("latin1");
}
