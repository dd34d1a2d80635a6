import type { Registry } from "../registry/registry.ts";
import type { LinkRecord } from "../registry/types.ts";
import { nasKeyOf } from "../store/acct-session-key.ts";
import type { AcctSessionFacts } from "../store/accounting-record.ts";
import { textOctets } from "../store/octet-text.ts";

/** Begins the peer key of an acct session that an HTTP API told of: the API proved itself, its NAS has not. */
const API_PEER = "api:";

export function apiPeerKey(api: string): string {
  return `${API_PEER}${api}`;
}

export function isApiPeer(peerKey: string | undefined): boolean {
  return peerKey?.startsWith(API_PEER) === true;
}

/** What stands for the NAS of an acct session in the session index: the API tells them apart by an id of its own, whatever the
 *  address of the NAS is today, and behind NAT many have the same. */
export function apiNasKey(api: string, uniqueId: string): string {
  return nasKeyOf({ nasIdentifier: undefined, nasAddress: uniqueId, peerKey: apiPeerKey(api), shared: false });
}

type Lookup = Pick<Registry, "byNasIdentifier" | "byNasAddress" | "find">;

/** The links of a NAS that an HTTP API speaks of: its own, by the NAS-Identifier or the address that it has proven on them, else
 *  the UDP port of the `clients` entry with its address. Several peers that answer to it are none: another device never gets
 *  the request (RC-20). */
export function linksOfApiNas(
  registry: Lookup,
  { nasIdentifier, nasAddress }: Pick<AcctSessionFacts, "nasIdentifier" | "nasAddress">,
): readonly LinkRecord[] {
  const named =
    nasIdentifier === undefined ? [] : registry.byNasIdentifier(textOctets(nasIdentifier).toString("latin1"));
  if (named.length > 0) return ofOnePeer(named);
  if (nasAddress === undefined) return [];
  const proven = registry.byNasAddress(nasAddress);
  if (proven.length > 0) return ofOnePeer(proven);
  // A router whose packets go to the AAA server has said nothing here: configuration alone knows its port.
  return ofOnePeer(registry.find("address", nasAddress).filter(({ link }) => link.kind === "udp"));
}

function ofOnePeer(records: readonly LinkRecord[]): readonly LinkRecord[] {
  const peerKey = records[0]?.link.peerKey;
  return records.every(({ link }) => link.peerKey === peerKey) ? records : [];
}
