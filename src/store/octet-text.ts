const HEX = /^0x(?:[0-9a-f]{2})+$/i;
const CONTROL = /\p{Cc}/u;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Octets as text that every store keeps exactly: UTF-8, or "0x…" where they are no printable UTF-8 or where the text itself
 *  looks like "0x…". Different octets never give the same text. */
export function octetText(octets: Uint8Array): string {
  const text = decoded(octets);
  if (text !== undefined && !CONTROL.test(text) && !HEX.test(text)) return text;
  return `0x${Buffer.from(octets).toString("hex")}`;
}

/** The octets of an octetText(), and of what a person wrote: "0x…" or UTF-8 text. */
export function textOctets(text: string): Buffer {
  return HEX.test(text) ? Buffer.from(text.slice(2), "hex") : Buffer.from(text, "utf8");
}

function decoded(octets: Uint8Array): string | undefined {
  try {
    return UTF8.decode(octets);
  } catch {
    return undefined; // the only thing a fatal decoder throws for
  }
}
