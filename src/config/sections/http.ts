import { z } from "zod";
import { isLoopback } from "../../http/host-name.ts";
import { type HttpOptions, ROLES } from "../../http/options.ts";
import { dnsName } from "../identities.ts";
import type { Report } from "../problem.ts";
import { itemsOf, reportDuplicates, section, valueAt, withRules } from "../section.ts";
import { address, choice, duration, flag, isIpAddress, list, name, network, port, size, text } from "../values.ts";
import { compatOptions, compatSection } from "./compat.ts";
import type { DynauthConfig } from "./dynauth.ts";

const role = choice("monitor reads, operator also sends Disconnect and CoA, admin may do everything.", ROLES);

const token = section({
  name: name("Who uses it, as the log shows it."),
  // RFC 6750 Section 2.1: what fits into an Authorization header.
  token: text("The token.").regex(
    /^[A-Za-z0-9\-._~+/]+=*$/,
    "must be letters, digits and - . _ ~ + / with = at the end only",
  ),
  role,
}).meta({ description: "A bearer token." });

const basicUser = section({
  // RFC 7617 Section 2: the first colon ends the user name.
  name: text("User name.").refine((value) => !/[:\p{Cc}]/u.test(value), "must not have a colon or control character"),
  password: text("Password.").refine((value) => !/\p{Cc}/u.test(value), "must not have a control character"),
  role,
}).meta({ description: "A user of HTTP Basic." });

const client = z
  .preprocess(
    (value) => (typeof value === "string" ? { network: value } : value),
    section({
      network: network("Network or address of callers."),
      role: role.optional().meta({ description: "Role that its callers have without a token." }),
    }),
  )
  .meta({ description: "A network, or a map of network and role.", shorthand: true });

export const httpSection = section(
  {
    enabled: flag("Whether there is an HTTP API.").default(true),
    address: address("Address to listen on.").prefault("127.0.0.1"),
    port: port("TCP port; 0 is any free one.").default(4000),
    tokens: withRules(list("Bearer tokens.", token), (tokens, report) => {
      reportDuplicates(tokens, "name", "token name", report);
      reportDuplicates(tokens, "token", "token", report);
    }),
    basic: withRules(list("Users of HTTP Basic.", basicUser), (users, report) =>
      reportDuplicates(users, "name", "user name", report),
    ),
    clients: list("Networks that may call at all; [] is every network. One with a role needs no token.", client),
    allowedHosts: list("Host names, beside localhost, by which browsers may call.", dnsName("A DNS name.")),
    publicUrl: text("How callers reach the API from outside; what links in answers begin with.")
      .regex(/^https?:\/\/[^/?#@\s]+(?:\/[^?#\s]*)?$/, 'must be an address such as "https://hub.example.net"')
      .optional(),
    bodyMax: size("Size of a request body; more is refused with 413.", { min: "1KiB", max: "64MiB" }).prefault("1MiB"),
    headerTimeout: duration("Time for the head of a request.", { min: "1s", max: "5m" }).prefault("10s"),
    requestTimeout: duration("Time for a whole request to arrive.", { min: "1s", max: "5m" }).prefault("30s"),
    compat: compatSection.prefault({}).meta({ description: "APIs of other systems, each with tokens of its own." }),
  },
  httpRules,
);

function httpRules(values: unknown, report: Report): void {
  const headerTimeout = valueAt(values, "headerTimeout");
  const requestTimeout = valueAt(values, "requestTimeout");
  if (typeof headerTimeout === "number" && typeof requestTimeout === "number" && headerTimeout > requestTimeout) {
    report(["headerTimeout"], "must not be longer than requestTimeout");
  }
  const listenAddress = valueAt(values, "address");
  if (valueAt(values, "enabled") === false || typeof listenAddress !== "string") return;
  if (listenAddress !== "localhost" && !isIpAddress(listenAddress)) return; // told already
  const guarded = ["tokens", "basic", "clients"].some((key) => itemsOf(valueAt(values, key)).length > 0);
  if (!guarded && !isLoopback(listenAddress)) {
    report(
      ["address"],
      "is open to other machines and anybody could use the API: set http.tokens, http.basic or http.clients, or listen on 127.0.0.1",
    );
  }
}

export type HttpValues = z.output<typeof httpSection>;

/** Undefined when there is to be no HTTP API. */
export function httpConfig(values: HttpValues, dynauth: DynauthConfig): HttpOptions | undefined {
  if (!values.enabled) return undefined;
  return {
    address: values.address,
    port: values.port,
    tokens: values.tokens,
    basic: values.basic,
    clients: values.clients,
    allowedHosts: values.allowedHosts,
    bodyBytesMax: values.bodyMax,
    headerTimeoutMs: values.headerTimeout,
    requestTimeoutMs: values.requestTimeout,
    timeoutMaxMs: dynauth.timeoutMaxMs,
    compat: compatOptions(values.compat),
    publicUrl: values.publicUrl?.replace(/\/+$/, ""),
  };
}
