import { HubError } from "../errors.ts";
import { parseDotted } from "./attribute-place.ts";
import type { AttributeEntry, DictionaryEntry } from "./dictionary-entry.ts";
import { parseDataType } from "./values.ts";
import type { VendorFormat } from "./vendor.ts";

/** Vendor-Type and Vendor-Length widths as dictionaries write them, with the fault for those the hub can not read. */
const FORMAT = /^format=([124]),([012])$/;
const EXTENDED_FORMAT = /^format=Extended-Vendor-Specific-([1-6])$/i;
const ENCRYPT_FLAG = /^encrypt=[123]$/;
/** Flags that say how an attribute may be used, not how it is written. */
const IGNORED_FLAGS: ReadonlySet<string> = new Set(["array", "concat", "internal", "virtual"]);

/** Reads one file in the syntax of FreeRADIUS dictionaries: VENDOR, BEGIN-VENDOR, END-VENDOR, ATTRIBUTE and VALUE.
 *  @throws {HubError} ERR_DICTIONARY with file:line for anything else: a line that is skipped would be a wrong value later */
export function parseDictionaryFile(text: string, file: string): DictionaryEntry[] {
  return new FileReader(file).read(text);
}

class FileReader {
  readonly #file: string;
  readonly #entries: DictionaryEntry[] = [];
  readonly #vendors = new Map<string, number>();
  /** What stands before an attribute's number: "", "26.14988." or "241.26.14988.". */
  #scope = "";
  #line = 0;

  constructor(file: string) {
    this.#file = file;
  }

  read(text: string): DictionaryEntry[] {
    for (const line of text.split(/\r?\n/)) {
      this.#line += 1;
      const words = line.replace(/#.*/, "").trim().split(/\s+/);
      if (words[0] !== "") this.#statement(words);
    }
    return this.#entries;
  }

  #statement([keyword, ...words]: string[]): void {
    const [first = "", second = "", third = "", fourth = ""] = words;
    if (keyword === "VENDOR") this.#vendor(first, second, third);
    else if (keyword === "BEGIN-VENDOR") this.#beginVendor(first, second);
    else if (keyword === "END-VENDOR") this.#scope = "";
    else if (keyword === "ATTRIBUTE") this.#attribute(first, second, third, fourth);
    else if (keyword === "VALUE") this.#value(first, second, third);
    else throw this.#fault(`${keyword} is not a statement of a dictionary that the hub reads`);
  }

  #vendor(name: string, numberText: string, formatText: string): void {
    const number = this.#number(numberText);
    this.#vendors.set(name, number);
    if (formatText === "") return;
    const [, typeBytes, lengthBytes] = FORMAT.exec(formatText) ?? [];
    if (typeBytes === undefined) throw this.#fault(`${formatText} is not a vendor format that the hub reads`);
    const format = { typeBytes: Number(typeBytes), lengthBytes: Number(lengthBytes) } as VendorFormat;
    this.#entries.push({ kind: "vendor", number, format });
  }

  #beginVendor(name: string, formatText: string): void {
    const number = this.#vendors.get(name);
    if (number === undefined) throw this.#fault(`vendor ${name} has no VENDOR line in this file`);
    const [, space] = EXTENDED_FORMAT.exec(formatText) ?? [];
    if (formatText !== "" && space === undefined) throw this.#fault(`${formatText} is not a format`);
    this.#scope = space === undefined ? `26.${number}.` : `${240 + Number(space)}.26.${number}.`;
  }

  #attribute(name: string, numberText: string, typeText: string, flagsText: string): void {
    const dotted = this.#scope + (numberText.includes(".") ? numberText : this.#number(numberText));
    if (!NAME.test(name)) throw this.#fault(`"${name}" is not a name`);
    if (parseDotted(dotted) === undefined) throw this.#fault(`${name} can not have the number ${dotted}`);
    const dataType = parseDataType(typeText);
    if (dataType === undefined) throw this.#fault(`${name} has the unknown type "${typeText}"`);
    this.#entries.push(attributeEntry(name, dotted, dataType, this.#flags(name, flagsText)));
  }

  #flags(name: string, flagsText: string): string[] {
    const flags = flagsText.toLowerCase().split(",").filter(Boolean);
    for (const flag of flags) {
      const known = flag === "has_tag" || flag === "secret" || ENCRYPT_FLAG.test(flag) || IGNORED_FLAGS.has(flag);
      if (!known) throw this.#fault(`${name} has the unknown flag "${flag}"`);
    }
    return flags;
  }

  #value(attribute: string, name: string, numberText: string): void {
    if (name === "") throw this.#fault("VALUE takes an attribute, a name and a number");
    this.#entries.push({ kind: "value", attribute, name, number: this.#number(numberText) });
  }

  #number(text: string): number {
    const number = /^(\d{1,10}|0x[0-9a-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
    if (!(number <= 0xffff_ffff)) throw this.#fault(`"${text}" is not a number 0..4294967295`);
    return number;
  }

  #fault(message: string): HubError {
    return new HubError("ERR_DICTIONARY", `${this.#file}:${this.#line}: ${message}`, {
      file: this.#file,
      line: this.#line,
    });
  }
}

// A colon would be taken for the beginning of a tag, "0x" and digits for a number.
const NAME = /^[a-z][a-z0-9_./-]*$/i;

/** An entry from the type and the flags of its dictionary line. */
export function attributeEntry(
  name: string,
  dotted: string,
  dataType: AttributeEntry["dataType"],
  flags: readonly string[],
): AttributeEntry {
  const hidden = flags.some((flag) => ENCRYPT_FLAG.test(flag));
  const tagged = flags.includes("has_tag");
  return { kind: "attribute", name, dotted, dataType, tagged, hidden, secret: hidden || flags.includes("secret") };
}
