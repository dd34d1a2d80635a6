import type { ClientEntry } from "../../transport/client-entry.ts";
import type { Report } from "../problem.ts";
import { itemsOf, valueAt } from "../section.ts";

/** Keys that say what the NAS of an entry is called. */
const NAMES = ["nasIdentifier", "nasAddress"];

/** Whether only one peer can fall under an entry; with udp and tcp, one address. */
export function isOnePeer(transport: ClientEntry["transport"], match: unknown): boolean {
  if (transport !== "tls") {
    const [network, ...more] = itemsOf(valueAt(match, "network"));
    return more.length === 0 && /^[^:]+\/32$|:.*\/128$/.test(String(network));
  }
  const sans = ["dns", "ip", "uri", "email"].flatMap((kind) => itemsOf(valueAt(match, "san", kind)));
  const listed = [...sans, ...itemsOf(valueAt(match, "commonName"))];
  const others = [...itemsOf(valueAt(match, "fingerprint")), ...itemsOf(valueAt(match, "psk"))];
  const names = listed.length > 0 ? listed : others;
  return names.length === 1 && !String(names[0]).startsWith("*.") && valueAt(match, "admitEvery") !== true;
}

/** One name is one NAS: a router that is called by that of another refuses the request (RFC 5176 Section 3.5, 403). */
export function nasNameRules(transport: ClientEntry["transport"], entry: unknown, report: Report): void {
  const isRouter = valueAt(entry, "role") === "nas";
  const isOne = isOnePeer(transport, valueAt(entry, "match"));
  for (const key of NAMES) {
    if (valueAt(entry, key) === undefined) continue;
    if (!isRouter) report([key], "is about a router: behind a proxy or hub there are several");
    else if (!isOne) report([key], "is the name of one router, and the entry names several: give it one of its own");
  }
}
