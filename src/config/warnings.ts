import type { HubValues } from "./hub-schema.ts";
import type { Report } from "./problem.ts";

/** CRY-17; RFC 2865 Section 3 wants secrets that can not be guessed. */
const SHORT_SECRET_OCTETS = 12;
const SHORT_TOKEN_CHARACTERS = 16;

/** Reports what is allowed and probably not meant. */
export function reportWarnings(values: HubValues, report: Report): void {
  for (const [index, listener] of values.radsec.entries()) {
    secretWarning(listener.secret.octets, ["radsec", index, "secret"], report);
  }
  if (values.clients.length === 0) report(["clients"], "is empty, so no router can connect");
  for (const [index, entry] of values.clients.entries()) {
    if (entry.secret !== undefined) secretWarning(entry.secret.octets, ["clients", index, "secret"], report);
  }
  httpWarnings(values.http, report);
}

function secretWarning(octets: Buffer, path: (string | number)[], report: Report): void {
  // TLS protects the packets; "radsec" is what the standard sets for it (RFC 6614 Section 2.3).
  if (octets.length > SHORT_SECRET_OCTETS || octets.toString() === "radsec") return;
  report(path, `is a secret of ${SHORT_SECRET_OCTETS} octets or less, which can be guessed`);
}

function httpWarnings(http: HubValues["http"], report: Report): void {
  for (const [index, { token }] of http.tokens.entries()) {
    if (token.length < SHORT_TOKEN_CHARACTERS) {
      report(
        ["http", "tokens", index, "token"],
        `is shorter than ${SHORT_TOKEN_CHARACTERS} characters and can be guessed`,
      );
    }
  }
  for (const [index, { network, role }] of http.clients.entries()) {
    if (role !== undefined && network.endsWith("/0")) {
      report(["http", "clients", index], "lets everybody use the API without a token");
    }
  }
}
