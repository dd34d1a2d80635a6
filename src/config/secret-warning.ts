import type { SharedSecret } from "../radius/authenticator.ts";
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
