import type { HubValues } from "./hub-schema.ts";
import { reportClientWarnings } from "./client-warnings.ts";
import type { Report } from "./problem.ts";
import { reportUsersWarnings } from "./sections/users.ts";
import { secretWarning } from "./secret-warning.ts";
import { reportUpstreamWarnings } from "./upstream-warnings.ts";

const SHORT_TOKEN_CHARACTERS = 16;

/** Reports what is allowed and probably not meant. */
export function reportWarnings(values: HubValues, report: Report): void {
  for (const [index, listener] of values.radsec.entries()) {
    secretWarning(listener.secret, "tls", ["radsec", index, "secret"], report);
  }
  reportClientWarnings(values, report);
  reportUpstreamWarnings(values, report);
  reportUsersWarnings(values.users, report);
  httpWarnings(values.http, report);
  if (!values.accounting.enabled) compatWarnings(values.http, report);
}

function compatWarnings({ compat }: HubValues["http"], report: Report): void {
  const { radiusCheck, djangoFreeradius, openwispRadius } = compat;
  const isOn = radiusCheck.token ?? djangoFreeradius.token ?? openwispRadius.organizations[0];
  if (isOn !== undefined) report(["http", "compat"], "has no effect without the store: accounting.enabled is false");
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
