// Six pairs with one kind of separator, three groups of four, two of six, or twelve digits; then what follows as "MAC:SSID".
const MAC =
  /^(?:([0-9a-f]{2})([-:. ])((?:[0-9a-f]{2}\2){4}[0-9a-f]{2})|([0-9a-f]{4})([-:.])([0-9a-f]{4})\5([0-9a-f]{4})|([0-9a-f]{6})[-:.]([0-9a-f]{6})|([0-9a-f]{12}))(?:([:;-])(.*))?$/is;

/** The form of a Calling- or Called-Station-Id by which it is found: a MAC address, in whichever notation, becomes
 *  "00-11-22-AA-BB-CC" (RFC 3580 Section 3.21), and an SSID after it is kept octet by octet. Anything else, a telephone number
 *  for instance, stays as it is. */
export function callingStationKey(text: string): string {
  const match = MAC.exec(text);
  if (match === null) return text;
  const [, pair, , pairs, first, , second, third, left, right, bare, separator, ssid] = match;
  const digits = [pair, pairs, first, second, third, left, right, bare].join("").replaceAll(/[^0-9a-f]/gi, "");
  const mac = (digits.toUpperCase().match(/../g) as string[]).join("-");
  return separator === undefined ? mac : `${mac}:${ssid}`;
}
