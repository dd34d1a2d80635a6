/** Text from elsewhere, safe to show in a terminal: a control character could move the cursor or set its title. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, "?");
}
