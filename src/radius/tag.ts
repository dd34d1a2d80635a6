import type { DataType } from "./values.ts";

// RFC 2868 Section 3.1: one octet before the value groups the attributes of one tunnel. An integer gives its highest octet
// up for it; text has it only when the first octet is 0..31.

const TAG_MAX = 0x1f;

/** `bare` has no tag and, for an integer, its four octets again; undefined when there is no value. */
export interface Untagged {
  readonly tag: number | undefined;
  readonly bare: Buffer | undefined;
}

export function splitTag(dataType: DataType, value: Buffer): Untagged {
  const first = value[0];
  if (dataType === "integer") {
    if (first === undefined || value.length !== 4 || first > TAG_MAX) return { tag: undefined, bare: undefined };
    return { tag: first, bare: Buffer.concat([Buffer.of(0), value.subarray(1)]) };
  }
  if (first === undefined || first > TAG_MAX) return { tag: undefined, bare: value };
  return { tag: first, bare: value.subarray(1) };
}

/** The value with its tag; undefined for a tag over 31 or an integer over 24 bits. */
export function joinTag(dataType: DataType, bare: Buffer, tag: number | undefined): Buffer | undefined {
  if (tag !== undefined && tag > TAG_MAX) return undefined;
  if (dataType === "integer") {
    return bare[0] === 0 ? Buffer.concat([Buffer.of(tag ?? 0), bare.subarray(1)]) : undefined;
  }
  // Text that begins with such an octet would be taken for a tag, so it gets the one that means "none".
  const needed = tag !== undefined || (bare[0] as number) <= TAG_MAX;
  return needed ? Buffer.concat([Buffer.of(tag ?? 0), bare]) : bare;
}
