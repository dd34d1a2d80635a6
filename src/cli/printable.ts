/** Text from elsewhere, safe to show in a terminal: a control character could move the cursor or set its title, and one for the
 *  direction of writing turn a line around. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}
