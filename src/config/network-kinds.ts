import ipaddr from "ipaddr.js";

/** Networks that no route of the Internet leads to, or only this machine can reach. */
const NOT_PUBLIC = [
  "127.0.0.0/8",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "100.64.0.0/10",
  "169.254.0.0/16",
  "::1/128",
  "fc00::/7",
  "fe80::/10",
];

/** Whether some address of a canonical network can be reached from the Internet. */
export function isPublicNetwork(network: string): boolean {
  return !NOT_PUBLIC.some((wide) => contains(wide, network));
}

/** Whether two canonical networks share an address. */
export function overlap(one: string, other: string): boolean {
  return contains(one, other) || contains(other, one);
}

function contains(wide: string, narrow: string): boolean {
  const [base, bits] = ipaddr.parseCIDR(wide);
  const [address, bitsOfNarrow] = ipaddr.parseCIDR(narrow);
  return base.kind() === address.kind() && bits <= bitsOfNarrow && address.match(base, bits);
}
