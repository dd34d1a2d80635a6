import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { HubError } from "../errors.ts";
import type { Attribute } from "./attribute.ts";
import {
  type AttributePlace,
  decodePlaced,
  dottedNumber,
  encodePlaced,
  type PlacedValue,
  parseDotted,
} from "./attribute-place.ts";
import type { AttributeEntry, DictionaryEntry } from "./dictionary-entry.ts";
import { parseDictionaryFile } from "./dictionary-file.ts";
import { packageDictionary } from "./radius-package.ts";
import { joinTag, splitTag } from "./tag.ts";
import { type AttributeInput, hexText, VALUE_CODECS } from "./values.ts";
import { VENDOR_FORMAT_DEFAULT, type VendorFormat } from "./vendor.ts";

/** An attribute as the dictionary knows it. */
export interface AttributeDefinition extends Omit<AttributeEntry, "kind"> {
  readonly place: AttributePlace;
  readonly valueNames: ReadonlyMap<number, string>;
  /** By lower-case name. */
  readonly valueNumbers: ReadonlyMap<string, number>;
}

/** One value in the form that JSON takes. */
export interface DecodedAttribute {
  readonly name: string;
  readonly type: number;
  readonly extendedType?: number;
  readonly vendor?: number;
  readonly vendorType?: number;
  /** Present when a tag of RFC 2868 stands before the value. */
  readonly tag?: number;
  /** Text, number, decimal text of 64 bits, ISO 8601 time, or "0x" and hex for what has no better form. */
  readonly value: string | number;
  /** Hex of the value's octets; empty where `value` is {@link REDACTED}. */
  readonly raw: string;
}

/** Stands in place of a value that must not be shown. */
export const REDACTED = "[hidden]";

interface Definition extends AttributeDefinition {
  readonly valueNames: Map<number, string>;
  readonly valueNumbers: Map<string, number>;
}

/** Names, numbers and data types of attributes. Immutable once made; every look-up is one in a Map. */
export class Dictionary {
  readonly #byName = new Map<string, Definition>();
  readonly #byDotted = new Map<string, Definition>();
  readonly #formats = new Map<number, VendorFormat>();
  /** Widths of the fields in a vendor's attributes; what RFC 2865 recommends for one that no dictionary has. */
  readonly formatOf = (vendor: number): VendorFormat => this.#formats.get(vendor) ?? VENDOR_FORMAT_DEFAULT;

  /** @throws {HubError} ERR_DICTIONARY for a name with two numbers, or a VALUE of an attribute that is not there */
  constructor(entries: Iterable<DictionaryEntry>) {
    const values = [];
    for (const entry of entries) {
      if (entry.kind === "vendor") this.#formats.set(entry.number, entry.format);
      else if (entry.kind === "attribute") this.#define(entry);
      else values.push(entry);
    }
    for (const { attribute, name, number } of values) {
      const definition = this.#byName.get(attribute.toLowerCase());
      if (definition === undefined) {
        throw new HubError("ERR_DICTIONARY", `value ${name} belongs to ${attribute}, which no dictionary has`);
      }
      definition.valueNames.set(number, name);
      definition.valueNumbers.set(name.toLowerCase(), number);
    }
  }

  /** The dictionaries of the package `radius`, then every file `dictionary.*` of a folder in the order of their names.
   *  Reads synchronously, once at start. @throws {HubError} ERR_DICTIONARY with file:line */
  static load(folder: string): Dictionary {
    const entries = packageDictionary();
    for (const file of folderFiles(folder)) entries.push(...parseDictionaryFile(readFileSync(file, "utf8"), file));
    return new Dictionary(entries);
  }

  /** Every attribute, in the order of definition; an attribute with two names appears under the newer one. */
  definitions(): IterableIterator<AttributeDefinition> {
    return this.#byDotted.values();
  }

  /** The definition behind a name ("User-Name", any case) or a number ("31", "Attr-26.14988.8"). */
  find(name: string | number): AttributeDefinition | undefined {
    const text = String(name);
    return this.#byName.get(text.toLowerCase()) ?? this.#byDotted.get(text.replace(/^attr-/i, ""));
  }

  /** "User-Name", "Mikrotik-Rate-Limit" (the first sub-attribute's), or "Attr-200", "Attr-26.14988.99" without a name. */
  attributeName(attribute: Attribute): string {
    const [placed] = decodePlaced([attribute], this.formatOf);
    return this.#nameAt(dottedNumber((placed as PlacedValue).place));
  }

  /** The attributes that carry a value: one, or the fragments of a long-extended one. A name may end in a tag, as in
   *  "Tunnel-Type:1". @throws {HubError} ERR_DICTIONARY unknown name, ERR_RADIUS_VALUE bad value; the message names it */
  encode(name: string | number, input: AttributeInput): Attribute[] {
    const [, bare = "", tagText] = /^(.*?)(?::(\d{1,2}))?$/.exec(String(name)) ?? [];
    const definition = this.find(bare);
    if (definition === undefined) return this.#encodeUnknown(String(name), input);
    const value = encodeValue(definition, input, tagText === undefined ? undefined : Number(tagText));
    try {
      return encodePlaced({ place: definition.place, value }, this.formatOf);
    } catch (cause) {
      throw new HubError("ERR_RADIUS_VALUE", `${definition.name}: ${(cause as Error).message}`, {}, { cause });
    }
  }

  /** The values of an attribute list, flat: a Vendor-Specific attribute with several sub-attributes yields several. What
   *  can not be decoded is "0x..."; nothing throws (PKT-07, PKT-08). */
  decode(attributes: readonly Attribute[]): DecodedAttribute[] {
    return decodePlaced(attributes, this.formatOf).map((placed) => this.#decodePlacedValue(placed));
  }

  #define(entry: AttributeEntry): void {
    const place = parseDotted(entry.dotted);
    const other = this.#byName.get(entry.name.toLowerCase());
    if (place === undefined || (other !== undefined && other.dotted !== entry.dotted)) {
      throw new HubError(
        "ERR_DICTIONARY",
        `${entry.name} can not be ${entry.dotted}; it is ${other?.dotted ?? "no number"}`,
      );
    }
    const former = this.#byDotted.get(entry.dotted);
    const valueNames = former?.valueNames ?? new Map<number, string>();
    const valueNumbers = former?.valueNumbers ?? new Map<string, number>();
    const definition: Definition = { ...entry, place, valueNames, valueNumbers };
    this.#byName.set(entry.name.toLowerCase(), definition);
    this.#byDotted.set(entry.dotted, definition);
  }

  #nameAt(dotted: string): string {
    return this.#byDotted.get(dotted)?.name ?? `Attr-${dotted}`;
  }

  #encodeUnknown(name: string, input: AttributeInput): Attribute[] {
    const place = parseDotted(name.replace(/^attr-/i, ""));
    if (place === undefined) throw new HubError("ERR_DICTIONARY", `unknown attribute "${name.slice(0, 64)}"`);
    const value = Buffer.isBuffer(input) ? input : VALUE_CODECS.octets.encode(input);
    if (value === undefined) throw badValue(`Attr-${dottedNumber(place)}`, VALUE_CODECS.octets.takes);
    return encodePlaced({ place, value }, this.formatOf);
  }

  #decodePlacedValue({ place, value }: PlacedValue): DecodedAttribute {
    const dotted = dottedNumber(place);
    const definition = this.#byDotted.get(dotted);
    if (definition === undefined) {
      return { name: `Attr-${dotted}`, ...place, value: hexText(value), raw: value.toString("hex") };
    }
    const { name } = definition;
    if (definition.secret) return { name, ...place, value: REDACTED, raw: "" };
    const { tag, bare } = definition.tagged ? splitTag(definition.dataType, value) : { tag: undefined, bare: value };
    const decoded = bare === undefined ? undefined : VALUE_CODECS[definition.dataType].decode(bare);
    const shown = typeof decoded === "number" ? (definition.valueNames.get(decoded) ?? decoded) : decoded;
    const facts = { name, ...place, value: shown ?? hexText(value), raw: value.toString("hex") };
    return tag === undefined || decoded === undefined ? facts : { ...facts, tag };
  }
}

function folderFiles(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.startsWith("dictionary."));
    return names.sort().map((name) => join(folder, name));
  } catch (cause) {
    throw new HubError(
      "ERR_DICTIONARY",
      `the folder ${folder} with dictionaries can not be read`,
      { folder },
      { cause },
    );
  }
}

function encodeValue(definition: AttributeDefinition, input: AttributeInput, tag: number | undefined): Buffer {
  if (Buffer.isBuffer(input)) return input;
  const { name, dataType, valueNumbers } = definition;
  if (definition.hidden) throw badValue(name, "octets that are hidden with the secret already");
  if (tag !== undefined && !definition.tagged) throw badValue(name, "no tag");
  const named = typeof input === "string" ? valueNumbers.get(input.toLowerCase()) : undefined;
  const codec = VALUE_CODECS[dataType];
  const value = codec.encode(named ?? input);
  if (value === undefined)
    throw badValue(name, valueNumbers.size > 0 ? `${codec.takes} or one of its names` : codec.takes);
  if (!definition.tagged) return value;
  const tagged = joinTag(dataType, value, tag);
  if (tagged === undefined) throw badValue(name, "a tag 0..31, and as an integer 24 bits");
  return tagged;
}

/** Says what is expected, not what was given: that may be a secret. */
function badValue(name: string, takes: string): HubError {
  return new HubError("ERR_RADIUS_VALUE", `${name} takes ${takes}`, { attribute: name });
}
