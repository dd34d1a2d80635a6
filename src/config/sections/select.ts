import { z } from "zod";
import { HubError } from "../../errors.ts";
import { compileBoundedRegex } from "../../registry/bounded-regex.ts";
import type { SelectRule } from "../../registry/selection.ts";
import type { Report } from "../problem.ts";
import { itemsOf, section, unknownKey, valueAt, withRules } from "../section.ts";
import { choice, oneOrMany, parseNetwork, text } from "../values.ts";

/** What a rule can look at, beside CERT_SAN_KEY and STATUS_KEY. */
const MATCH_KEYS = {
  nasIdentifier: "NAS-Identifier learnt on the link.",
  nasIpAddress: "NAS-IP-Address learnt on the link, or a network.",
  nasIpv6Address: "NAS-IPv6-Address learnt on the link, or a network.",
  server: "Name of the listener.",
  linkId: 'Id of the link, or "current": the link that the request came on.',
  peerAddress: "Address of the peer, or a network.",
  "cert.subject.cn": "Subject Common Name of the certificate.",
  "cert.san.dns": "A dNSName of the certificate; may start with *.",
  "cert.san.ip": "An iPAddress of the certificate, or a network.",
  "cert.san.uri": "A uniformResourceIdentifier of the certificate.",
  "cert.san.email": "An rfc822Name of the certificate.",
  "cert.fingerprint": "SHA-256 fingerprint of the certificate.",
  "cert.issuer": "Distinguished name of the CA.",
  psk: "PSK identity.",
  client: "Name of the entry of clients.",
} as const;

/** Only the n-th name of its kind. */
const CERT_SAN_KEY = /^cert\.san\.(dns|ip|uri|email)\[\d{1,3}\]$/;
/** An attribute of the latest Status-Server of the link. */
const STATUS_KEY = /^status\.[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const ADDRESS_KEY = /^(nasIpAddress|nasIpv6Address|peerAddress|cert\.san\.ip(\[\d+\])?)$/;

const REGEX = /^\/(.*)\/([a-z]*)$/s;
const TEMPLATE = /%\{([^}]*)\}?/g;

const matchValue = text('A literal, "%{request.<Attribute-Name>}" or "/regex/flags".').superRefine((value, context) => {
  const message = REGEX.test(value) ? regexMistake(value) : templateMistake(value);
  if (message !== undefined) context.addIssue({ code: "custom", message });
});

const match = z
  .object(
    Object.fromEntries(
      Object.entries(MATCH_KEYS).map(([key, about]) => [key, oneOrMany(about, matchValue).optional()]),
    ),
    "must be a map of keys",
  )
  .catchall(oneOrMany("A further key.", matchValue))
  .meta({
    description: "What the link must have; all keys must hold, and of several values one.",
    propertyNames: {
      anyOf: [{ enum: Object.keys(MATCH_KEYS) }, { pattern: CERT_SAN_KEY.source }, { pattern: STATUS_KEY.source }],
    },
  });

function matchRules(values: unknown, report: Report): void {
  if (typeof values !== "object" || values === null) return;
  const keys = Object.keys(values);
  if (keys.length === 0) report([], "must have at least one key: an empty match would take any link");
  for (const key of keys) {
    if (!Object.hasOwn(MATCH_KEYS, key) && !CERT_SAN_KEY.test(key) && !STATUS_KEY.test(key)) {
      report([key], unknownKey(key, [...Object.keys(MATCH_KEYS), "status.<Attribute-Name>"]));
    }
    if (ADDRESS_KEY.test(key)) addressRules(key, valueAt(values, key), report);
  }
}

function addressRules(key: string, addresses: unknown, report: Report): void {
  for (const [index, value] of itemsOf(addresses).entries()) {
    if (typeof value !== "string" || !isLiteral(value)) continue;
    const parsed = parseNetwork(value);
    if ("problem" in parsed) report([key, index], parsed.problem);
  }
}

export const selectRule = section({
  match: withRules(match, matchRules),
  mode: choice("Which of several links that match is taken.", ["first", "round-robin", "least-busy"]).default(
    "least-busy",
  ),
}).transform((rule) => rule as SelectRule);

function templateMistake(value: string): string | undefined {
  for (const [whole, inner] of value.matchAll(TEMPLATE)) {
    if (!whole.endsWith("}") || !/^request\.[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(inner as string)) {
      return "has a %{...} that is not %{request.<Attribute-Name>}";
    }
  }
  return undefined;
}

function regexMistake(value: string): string | undefined {
  const [, pattern, flags] = REGEX.exec(value) as unknown as [string, string, string];
  if (pattern.includes("%{")) return "is a regular expression, which can not take a %{...}";
  try {
    new RegExp(pattern, flags);
    compileBoundedRegex(pattern, flags);
    return undefined;
  } catch (error) {
    if (error instanceof HubError) return error.message;
    // The engine quotes the expression; only the end of its message says what is wrong.
    const reason = error instanceof SyntaxError ? error.message.split(": ").at(-1) : "unknown";
    return `is not a regular expression: ${reason}`;
  }
}

/** Whether a value of a rule stands for itself. */
export function isLiteral(value: string): boolean {
  return !REGEX.test(value) && !value.includes("%{");
}
