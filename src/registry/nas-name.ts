const HEX = /^0x(?:[0-9a-f]{2})+$/i;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const CONTROL = /\p{Cc}/u;
const ASCII = /^\p{ASCII}*$/u;

/** A NAS-Identifier (octets as latin1 text) for people: its UTF-8 text, or "0x…" where it is no printable UTF-8 or where the
 *  text itself looks like "0x…", so that parseNasName() always finds the way back (IDX-05). */
export function nasName(latin1: string): string {
  const octets = Buffer.from(latin1, "latin1");
  const text = utf8(octets);
  if (text !== undefined && !CONTROL.test(text) && !HEX.test(text)) return text;
  return `0x${octets.toString("hex")}`;
}

/** Octets (as latin1 text) read as UTF-8, whatever they are. */
export function textOf(latin1: string): string {
  return ASCII.test(latin1) ? latin1 : Buffer.from(latin1, "latin1").toString("utf8");
}

/** The octets, as latin1 text, of a name that a caller wrote: "0x…" or UTF-8 text. */
export function parseNasName(text: string): string {
  return parseOctets(text).toString("latin1");
}

/** Octets written as "0x…" or as UTF-8 text. */
export function parseOctets(text: string): Buffer {
  return HEX.test(text) ? Buffer.from(text.slice(2), "hex") : Buffer.from(text, "utf8");
}

/** The UTF-8 text of the octets, undefined when they are not UTF-8. */
export function utf8(octets: Uint8Array): string | undefined {
  try {
    return UTF8.decode(octets);
  } catch {
    return undefined; // the only thing a fatal decoder throws for
  }
}
