import { RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";

/** A `clients` entry as config.ts makes it from its defaults, with what a test wants different. */
export function clientEntry(changes: Partial<ClientEntry> = {}): ClientEntry {
  return {
    name: "routers",
    transport: "tls",
    role: "nas",
    reach: undefined,
    filter: undefined,
    limitProxyState: false,
    dynauthPort: 3799,
    match: { admitEvery: true },
    secret: RADSEC_SECRET,
    reverse: new Set([40, 43]),
    mayTrigger: false,
    requireMessageAuthenticator: false,
    coalesce: "none",
    vendor: undefined,
    sharedNasIdentifiers: new Set(),
    linksMax: undefined,
    ...changes,
  };
}
