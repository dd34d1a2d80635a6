/** NAS-Identifier of a router by its number, 1 and up: all of the same length, so that all requests are. */
export function nasName(number: number): string {
  return `nas-${String(number).padStart(5, "0")}`;
}
