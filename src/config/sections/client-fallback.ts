import ipaddr from "ipaddr.js";
import type { z } from "zod";
import type { UdpFallback } from "../../transport/client-entry.ts";
import type { Report } from "../problem.ts";
import { section, valueAt } from "../section.ts";
import { count, isIpAddress, secret, text } from "../values.ts";
import { isOnePeer } from "./one-nas.ts";

/** RFC 5176 Section 2.3 (UC-01). */
const DYNAUTH_PORT = 3799;

export const udpFallbackSection = section({
  address: text("IP address of the router, as the hub reaches it.").refine(
    isIpAddress,
    'must be an IP address such as "192.0.2.7" or "2001:db8::7"',
  ),
  port: count("Its port for Disconnect and CoA.", 1, 65_535).default(DYNAUTH_PORT),
  secret: secret("RADIUS shared secret of that port."),
}).meta({
  description:
    "Over tls: where the router takes Disconnect and CoA over UDP while it has no link. The entry must name one router.",
});

/** One address is one router: with several under the entry it would be open whose it is (RC-20). */
export function fallbackRules(entry: unknown, report: Report): void {
  if (valueAt(entry, "udpFallback") === undefined) return;
  if (!isOnePeer("tls", valueAt(entry, "match"))) {
    report(
      ["udpFallback"],
      "is the port of one router, and the entry names several: give the router an entry of its own",
    );
  }
}

export function udpFallback({ address, ...rest }: z.output<typeof udpFallbackSection>): UdpFallback {
  return { ...rest, address: ipaddr.parse(address).toString() };
}
