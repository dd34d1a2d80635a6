import ipaddr from "ipaddr.js";

/** Cuts "name:port" of a Host or Origin; the name is in lower case and an IPv6 literal has lost its brackets. */
export function splitHost(host: string): { readonly name: string; readonly port: string } {
  const [, bracketed, bare, port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(host) ?? [];
  return { name: (bracketed ?? bare ?? "").toLowerCase(), port: port ?? "" };
}

/** Whether only this machine can reach the address. */
export function isLoopback(address: string): boolean {
  if (address === "localhost") return true;
  return isAddressLiteral(address) && ipaddr.process(address).range() === "loopback";
}

/** Whether a Host of that name can only mean this machine. */
export function isLoopbackName(name: string): boolean {
  return name === "localhost" || name === "127.0.0.1" || name === "::1";
}

/** Whether the name is an address literal, written the usual way. */
export function isAddressLiteral(name: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(name) || ipaddr.IPv6.isValid(name);
}
