import radius from "radius";
import { HubError } from "../errors.ts";
import { attributeEntry } from "./dictionary-file.ts";
import type { DictionaryEntry } from "./dictionary-entry.ts";
import { parseDataType } from "./values.ts";

/** The vendors in the dictionaries that the package ships. */
const VENDORS = ["ADSL-Forum"] as const;
const TYPE_MAX = 255;

/** Everything in the dictionaries of the package `radius`, copied out: the package keeps them in module globals that any
 *  caller can change, and its own reading and writing of packets is never used (DESIGN.md, Dependencies). */
export function packageDictionary(): DictionaryEntry[] {
  radius.load_dictionaries();
  const entries = attributesOf(undefined, "");
  for (const name of VENDORS) {
    const vendor = radius.vendor_name_to_id(name);
    if (vendor === undefined) throw new HubError("ERR_DICTIONARY", `the package radius has no vendor ${name}`);
    entries.push(...attributesOf(vendor, `26.${vendor}.`));
  }
  return entries;
}

function attributesOf(vendor: string | undefined, scope: string): DictionaryEntry[] {
  const entries: DictionaryEntry[] = [];
  for (let type = 1; type <= TYPE_MAX; type++) {
    const name = radius.attr_id_to_name(type, vendor);
    if (name === undefined) continue;
    const typeName = radius._attr_to(type, vendor, 2) ?? "octets";
    const flags = Object.keys(radius._attr_to(type, vendor, 5) ?? {});
    entries.push(attributeEntry(name, `${scope}${type}`, parseDataType(typeName) ?? "octets", flags));
    for (const [valueName, number] of Object.entries(radius._attr_to(type, vendor, 4) ?? {})) {
      entries.push({ kind: "value", attribute: name, name: valueName, number: Number(number) });
    }
  }
  return entries;
}
