import { isDeepStrictEqual } from "node:util";
import { DEFAULT_SECTIONS } from "../aaa/pipeline/options.ts";
import type { HubValues } from "./hub-schema.ts";
import { reportClientWarnings } from "./client-warnings.ts";
import type { Report } from "./problem.ts";
import { reportUsersWarnings, usersSection } from "./sections/users.ts";
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
  roamingWarnings(values.http, report);
  if (!values.accounting.enabled) storeWarnings(values, report);
}

/** What lies in the store, which only is there for accounting. */
function storeWarnings({ dynauth, http, users, modules }: HubValues, report: Report): void {
  const without = "without the store: accounting.enabled is false";
  const { radiusCheck, djangoFreeradius, openwispRadius } = http.compat;
  const isOn = radiusCheck.token ?? djangoFreeradius.token ?? openwispRadius.organizations[0];
  if (isOn !== undefined) report(["http", "compat"], `has no effect ${without}`);
  if (!isDeepStrictEqual(users, usersSection.parse({}))) report(["users"], `has no effect ${without}`);
  if (dynauth.checkSessions) report(["dynauth", "checkSessions"], `has no effect ${without}`);
  const { authorize } = modules.sections;
  const index = authorize.findIndex((item) => item.kind === "call" && item.instance === "users");
  if (authorize !== DEFAULT_SECTIONS.authorize && index >= 0) {
    report(["modules", "sections", "authorize", index], `knows nobody ${without}`);
  }
}

function roamingWarnings({ compat }: HubValues["http"], report: Report): void {
  for (const [index, { macRoaming, allowedHosts }] of compat.openwispRadius.organizations.entries()) {
    if (!macRoaming || allowedHosts.length > 0) continue;
    const path = ["http", "compat", "openwispRadius", "organizations", index, "macRoaming"];
    report(path, "lets every caller log devices in by their MAC address: set allowedHosts");
  }
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
