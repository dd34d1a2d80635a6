import { lookup } from "node:dns/promises";
import { canonicalAddress } from "./networks.ts";

/** The address of a host; an address is its own. Undefined for a name that nobody knows now. */
export async function resolveHost(host: string): Promise<string | undefined> {
  const literal = canonicalAddress(host);
  if (literal !== undefined) return literal;
  try {
    return canonicalAddress((await lookup(host)).address);
  } catch {
    return undefined; // not found, or no name server: the caller asks again
  }
}
