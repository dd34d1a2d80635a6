import type { SharedSecret } from "../radius/authenticator.ts";
import type { PskKey } from "../transport/psk.ts";
import type { KeyPath, Report } from "./problem.ts";

/** CRY-17; RFC 2865 Section 3 wants secrets that can not be guessed. */
const SHORT_SECRET_OCTETS = 12;

/** Reports a secret that can be guessed. */
export function secretWarning(
  { octets }: SharedSecret,
  transport: "tls" | "udp" | "tcp",
  path: KeyPath,
  report: Report,
): void {
  const known = octets.toString() === "radsec";
  // TLS protects the packets; "radsec" is what the standard sets for it (RFC 6614 Section 2.3).
  if (octets.length > SHORT_SECRET_OCTETS || (known && transport === "tls")) return;
  report(path, `is a secret of ${SHORT_SECRET_OCTETS} octets or less, which can be guessed`);
}

/** RFC 9813 Section 4.1.1 (PSK-03). */
const PSK_OCTETS_GOOD = 32;

/** Reports a PSK that is shorter than it should be. */
export function pskWarning({ octets }: PskKey, path: KeyPath, report: Report): void {
  if (octets.length >= PSK_OCTETS_GOOD) return;
  report(path, `is a key of less than ${PSK_OCTETS_GOOD} octets: openssl rand -hex 32`);
}
