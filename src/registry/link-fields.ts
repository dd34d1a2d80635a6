import type { Link } from "../transport/link.ts";
import { canonicalAddress } from "../transport/networks.ts";

/** Keys that stand still while a link lives, except `client` and `peerKey`, which a change of the configuration may replace. */
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

const VALUES: Readonly<Record<LinkField, (link: Link) => readonly string[]>> = {
  peerKey: (link) => [link.peerKey],
  listener: (link) => [link.listener],
  client: (link) => [link.client.name],
  address: (link) => [canonicalAddress(link.address) ?? link.address],
  commonName: ({ peer }) => (peer.kind === "certificate" && peer.commonName !== undefined ? [peer.commonName] : NONE),
  // RFC 4343: DNS names have no case.
  sanDns: ({ peer }) => (peer.kind === "certificate" ? peer.san.dns.map((name) => name.toLowerCase()) : NONE),
  sanIp: ({ peer }) => (peer.kind === "certificate" ? peer.san.ip : NONE),
  sanUri: ({ peer }) => (peer.kind === "certificate" ? peer.san.uri : NONE),
  sanEmail: ({ peer }) => (peer.kind === "certificate" ? peer.san.email : NONE),
  fingerprint: ({ peer }) => (peer.kind === "certificate" ? [peer.fingerprint256] : NONE),
  issuer: ({ peer }) => (peer.kind === "certificate" ? [peer.issuer] : NONE),
  psk: ({ peer }) => (peer.kind === "psk" ? [peer.identity] : NONE),
};

/** What a link says for one field, in the form that is indexed; empty when it has none. */
export function linkFieldValues(link: Link, field: LinkField): readonly string[] {
  return VALUES[field](link);
}
