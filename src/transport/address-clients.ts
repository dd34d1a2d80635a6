import type { ClientEntry } from "./client-entry.ts";
import { canonicalAddress, NetworkTable } from "./networks.ts";

/** The `clients` that are known by their address alone: those of UDP or of TCP (UL-01, DP-02). The longest network decides;
 *  of two entries with the same network the first. */
export class AddressClients {
  readonly #networks: NetworkTable<ClientEntry>;
  /** Entries that are one machine, by its canonical address. */
  readonly hosts: readonly (readonly [address: string, entry: ClientEntry])[];

  /** @throws {HubError} ERR_INPUT for a network that is none. */
  constructor(entries: readonly ClientEntry[], transport: "udp" | "tcp") {
    const own = entries.filter((entry) => entry.transport === transport);
    this.#networks = new NetworkTable(own.flatMap((entry) => networksOf(entry).map((cidr) => [cidr, entry] as const)));
    this.hosts = own.flatMap((entry) => {
      const [only, ...others] = networksOf(entry);
      const address = only === undefined || others.length > 0 ? undefined : hostOf(only);
      return address === undefined ? [] : [[address, entry] as const];
    });
  }

  find(address: string): ClientEntry | undefined {
    return this.#networks.find(address);
  }
}

function networksOf({ match }: ClientEntry): readonly string[] {
  return match.network ?? [];
}

/** The one address that a network consists of. */
function hostOf(cidr: string): string | undefined {
  const [text = "", prefix] = cidr.split("/");
  const whole = prefix === undefined || prefix === (text.includes(":") ? "128" : "32");
  return whole ? canonicalAddress(text) : undefined;
}
