import { networkInterfaces } from "node:os";
import { canonicalAddress } from "./networks.ts";

/** Where this hub listens, so that it does not dial itself (TLS-25). */
export class OwnEndpoints {
  readonly #listening = new Map<number, Set<string>>();

  /** @param address as bound; "0.0.0.0" and "::" are every address of this machine */
  add(address: string, port: number): void {
    const addresses = this.#listening.get(port) ?? new Set();
    this.#listening.set(port, addresses.add(canonicalAddress(address) ?? address));
  }

  /** Whether a connection that has reached this address and port has reached this hub. */
  has(address: string, port: number): boolean {
    const listening = this.#listening.get(port);
    const reached = canonicalAddress(address) ?? address;
    if (listening === undefined) return false;
    if (listening.has(reached)) return true;
    return (listening.has("0.0.0.0") || listening.has("::")) && isOfThisMachine(reached);
  }
}

function isOfThisMachine(address: string): boolean {
  if (address.startsWith("127.")) return true; // the whole network is the loopback (RFC 1122 Section 3.2.1.3)
  return Object.values(networkInterfaces()).some((entries) =>
    entries?.some((entry) => canonicalAddress(entry.address) === address),
  );
}
