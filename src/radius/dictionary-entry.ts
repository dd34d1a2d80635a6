import type { DataType } from "./values.ts";
import type { VendorFormat } from "./vendor.ts";

/** A vendor whose attributes are not in the usual 1,1 format. */
interface VendorEntry {
  readonly kind: "vendor";
  readonly number: number;
  readonly format: VendorFormat;
}

/** An attribute: its name, where it stands, and how its value is written. */
export interface AttributeEntry {
  readonly kind: "attribute";
  readonly name: string;
  /** Its place as a dotted number: "31", "26.14988.8", "241.3", "241.26.9.1". */
  readonly dotted: string;
  readonly dataType: DataType;
  /** Whether a tag of RFC 2868 Section 3.1 stands before the value. */
  readonly tagged: boolean;
  /** Whether the value is hidden with the shared secret, so that it can not be written without one. */
  readonly hidden: boolean;
  /** Whether the value must not be shown: hidden ones, and keys that vendors send in clear. */
  readonly secret: boolean;
}

/** A name for a number of an attribute. */
interface ValueEntry {
  readonly kind: "value";
  readonly attribute: string;
  readonly name: string;
  readonly number: number;
}

/** One fact out of a dictionary, whatever its source. Later entries add to earlier ones. */
export type DictionaryEntry = VendorEntry | AttributeEntry | ValueEntry;
