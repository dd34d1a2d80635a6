import type { Link } from "../transport/link.ts";
import { canonicalAddress } from "./nas-address.ts";

/** Keys that stand still while a link lives, except `client`, which a change of the configuration may replace. */
export const LINK_FIELDS = [
  "peerKey",
  "listener",
  "client",
  "address",
  "commonName",
  "sanDns",
  "sanIp",
  "sanUri",
  "sanEmail",
  "fingerprint",
  "issuer",
  "psk",
] as const;
export type LinkField = (typeof LINK_FIELDS)[number];

const NONE: readonly string[] = [];

/** What a link says for one field, in the form that is indexed; empty when it has none. */
export function linkFieldValues(link: Link, field: LinkField): readonly string[] {
  const { peer } = link;
  switch (field) {
    case "peerKey":
      return [link.peerKey];
    case "listener":
      return [link.listener];
    case "client":
      return [link.client.name];
    case "address":
      return [canonicalAddress(link.address) ?? link.address];
    case "psk":
      return peer.kind === "psk" ? [peer.identity] : NONE;
  }
  if (peer.kind !== "certificate") return NONE;
  switch (field) {
    case "commonName":
      return peer.commonName === undefined ? NONE : [peer.commonName];
    case "sanDns":
      return peer.san.dns.map((name) => name.toLowerCase()); // RFC 4343: DNS names have no case
    case "sanIp":
      return peer.san.ip;
    case "sanUri":
      return peer.san.uri;
    case "sanEmail":
      return peer.san.email;
    case "fingerprint":
      return [peer.fingerprint256];
    case "issuer":
      return [peer.issuer];
  }
}
