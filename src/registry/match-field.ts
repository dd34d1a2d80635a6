import { HubError } from "../errors.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import { type LinkField, linkFieldValues } from "./link-fields.ts";
import { canonicalAddress } from "../transport/networks.ts";
import type { RegistryKey } from "./registry.ts";
import { textOf } from "./nas-name.ts";
import { attributeReader } from "./request-template.ts";
import type { LinkRecord } from "./types.ts";

/** One key of a selection rule: what of a link it looks at. */
export interface MatchField {
  /** The index that has the field; undefined when only a scan finds it. */
  readonly indexedAs: RegistryKey | undefined;
  readonly values: "text" | "octets" | "address" | "dns";
  /** What a link has, in the form that is indexed. */
  valuesOf(record: LinkRecord): Iterable<string>;
  /** A value of the rule in that form; undefined when no link can have it. */
  canonical(value: string): string | undefined;
  /** What a regular expression sees of an indexed value. */
  textOf(value: string): string;
}

const same = (value: string) => value;

function linkField(field: LinkField, changes: Partial<MatchField> = {}): MatchField {
  const valuesOf = (record: LinkRecord) => linkFieldValues(record.link, field);
  return { indexedAs: field, values: "text", valuesOf, canonical: same, textOf: same, ...changes };
}

const nasAddress: MatchField = {
  indexedAs: "nasAddress",
  values: "address",
  valuesOf: (record) => record.nasAddresses,
  canonical: canonicalAddress,
  textOf: same,
};

const FIELDS: ReadonlyMap<string, MatchField> = new Map<string, MatchField>([
  [
    "nasIdentifier",
    {
      indexedAs: "nasIdentifier",
      values: "octets",
      valuesOf: (record) => record.nasIdentifiers,
      canonical: same,
      textOf,
    },
  ],
  ["nasIpAddress", nasAddress],
  ["nasIpv6Address", nasAddress],
  ["server", linkField("listener")],
  ["linkId", linkField("listener", { indexedAs: "linkId", valuesOf: (record) => [record.link.linkId] })],
  ["peerAddress", linkField("address", { values: "address", canonical: canonicalAddress })],
  ["cert.subject.cn", linkField("commonName")],
  ["cert.san.dns", linkField("sanDns", { values: "dns", canonical: (name) => name.toLowerCase() })],
  ["cert.san.ip", linkField("sanIp", { values: "address", canonical: canonicalAddress })],
  ["cert.san.uri", linkField("sanUri")],
  ["cert.san.email", linkField("sanEmail")],
  ["cert.fingerprint", linkField("fingerprint", { canonical: (digest) => digest.toUpperCase() })],
  ["cert.issuer", linkField("issuer")],
  ["psk", linkField("psk")],
  ["client", linkField("client")],
]);

/** The field behind a key: one of the list above, `cert.san.<kind>[<n>]` for the n-th name of its kind alone, or
 *  `status.<Attribute-Name>` for what the latest Status-Server of the link said.
 *  @throws {HubError} ERR_CONFIG for any other key */
export function matchField(key: string, dictionary: Dictionary): MatchField {
  const field = FIELDS.get(key);
  if (field !== undefined) return field;
  const [, list = "", position] = /^(cert\.san\.\w+)\[(\d{1,3})\]$/.exec(key) ?? [];
  const names = FIELDS.get(list);
  if (names !== undefined) {
    const at = Number(position);
    return { ...names, valuesOf: (record) => [...names.valuesOf(record)].slice(at, at + 1) };
  }
  if (key.startsWith("status.")) return statusField(key.slice("status.".length), dictionary);
  const known = [...FIELDS.keys(), "status.<Attribute-Name>"].join(", ");
  throw new HubError("ERR_CONFIG", `"${key}" is no key of a match; there are ${known}`, { key });
}

function statusField(name: string, dictionary: Dictionary): MatchField {
  const reader = attributeReader(name, dictionary);
  return {
    indexedAs: undefined,
    values: "text",
    valuesOf: (record) => reader.read(record.statusAttributes).map((decoded) => String(decoded.value)),
    canonical: same,
    textOf: same,
  };
}
