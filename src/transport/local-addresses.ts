import { networkInterfaces } from "node:os";
import { isIPv6 } from "node:net";

/** The addresses to open sockets on: a wildcard stands for every address that this machine has now, because a reply has to
 *  leave from the address that was addressed (UL-02, DP-01). "::" is IPv6 alone.
 *  @returns link-local addresses with their zone, "fe80::1%eth0" */
export function expandAddress(address: string): readonly string[] {
  if (address !== "0.0.0.0" && address !== "::") return [address];
  return localAddresses().filter((each) => isIPv6(each) === (address === "::"));
}

function localAddresses(): string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, ofInterface = []]) =>
    ofInterface.map(({ address, family, scopeid }) =>
      family === "IPv6" && scopeid !== 0 ? `${address}%${name}` : address,
    ),
  );
}
