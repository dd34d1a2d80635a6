// Six pairs with one kind of separator, three groups of four, two of six, or twelve digits; then what follows as "MAC:SSID".
const MAC =
  /^(?:([0-9a-f]{2})([-:. ])((?:[0-9a-f]{2}\2){4}[0-9a-f]{2})|([0-9a-f]{4})([-:.])([0-9a-f]{4})\5([0-9a-f]{4})|([0-9a-f]{6})[-:.]([0-9a-f]{6})|([0-9a-f]{12}))(?:([:;-])(.*))?$/is;

/** The form of a Calling- or Called-Station-Id by which it is found: a MAC address, in whichever notation, becomes
 *  "00-11-22-AA-BB-CC" (RFC 3580 Section 3.21), and an SSID after it is kept octet by octet. Anything else, a telephone number
 *  for instance, stays as it is. */
export function callingStationKey(text: string): string {
  if (isKey(text)) return text;
  const match = MAC.exec(text);
  if (match === null) return text;
  const [, pair, , pairs, first, , second, third, left, right, bare, separator, ssid] = match;
  const digits = [pair, pairs, first, second, third, left, right, bare].join("").replaceAll(/[^0-9a-f]/gi, "");
  const mac = (digits.toUpperCase().match(/../g) as string[]).join("-");
  return separator === undefined ? mac : `${mac}:${ssid}`;
}

const KEY_LENGTH = 17;
const DASH = 0x2d;

/** Most routers write a MAC address as RFC 3580 wants it, and every login and record has one: it is found without a RegExp. */
function isKey(text: string): boolean {
  if (text.length !== KEY_LENGTH) return false;
  for (let at = 0; at < KEY_LENGTH; at += 1) {
    const code = text.charCodeAt(at);
    if (at % 3 === 2 ? code !== DASH : !isUpperHex(code)) return false;
  }
  return true;
}

/** 0-9, A-F */
function isUpperHex(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || (code >= 0x41 && code <= 0x46);
}
