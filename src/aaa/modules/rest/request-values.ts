import { hash } from "node:crypto";
import { isUtf8 } from "node:buffer";
import { ATTRIBUTE } from "../../../radius/attribute.ts";
import { CODE, codeName } from "../../../radius/codes.ts";
import { type DecodedAttribute, type Dictionary, REDACTED } from "../../../radius/dictionary.ts";
import type { DataType } from "../../../radius/values.ts";
import type { AaaRequest } from "../../pipeline/types.ts";
import type { Lookup } from "./template.ts";

type Reading = (request: AaaRequest, dictionary: Dictionary) => string | undefined;

/** Names that stand for no attribute of the packet, or not for its first value alone. */
const OWN: Readonly<Record<string, Reading>> = {
  "user-name": ({ username }) => username,
  "user-password": (request) => passwordText(request.password()),
  "chap-password": (request) => hex(request.octets(ATTRIBUTE.chapPassword)),
  // RFC 2865 Section 5.40: without the attribute, the Request Authenticator is the challenge.
  "chap-challenge": (request) => hex(request.octets(ATTRIBUTE.chapChallenge) ?? request.packet.authenticator),
  "stripped-user-name": ({ username }) => username?.replace(/@[^@]*$/, ""),
  realm: ({ username }) => /@([^@]*)$/.exec(username ?? "")?.[1],
  "acct-unique-session-id": acctUniqueSessionId,
  "packet-type": ({ packet }) => codeName(packet.code),
  "packet-src-ip-address": ({ link }) => link.address,
  "client-shortname": ({ link }) => link.client.name,
  "reply:packet-type": ({ kind, reply }) =>
    codeName(reply.code ?? (kind === "auth" ? CODE.accessAccept : CODE.accountingResponse)),
  "control:auth-type": ({ control }) => control.authType,
};

/** Values of one request by the names that FreeRADIUS has for them. */
export function requestLookup(request: AaaRequest, dictionary: Dictionary): Lookup {
  return (name) => {
    const lower = bareName(name);
    const own = Object.hasOwn(OWN, lower) ? OWN[lower] : undefined;
    if (own !== undefined) return own(request, dictionary);
    if (!lower.startsWith("reply:")) return shown(request.text(lower));
    const wanted = dictionary.find(lower.slice("reply:".length))?.name;
    const found = dictionary.decode(request.reply.attributes).find((each) => each.name === wanted);
    return found === undefined ? undefined : shown(String(found.value));
  };
}

/** Whether a template may name it. */
export function isKnownName(name: string, dictionary: Dictionary): boolean {
  const lower = bareName(name);
  return Object.hasOwn(OWN, lower) || dictionary.find(lower.replace(/^reply:/, "")) !== undefined;
}

/** Whether a name stands for what only the user should know. */
export function isPassword(name: string): boolean {
  return ["user-password", "chap-password"].includes(bareName(name));
}

function bareName(name: string): string {
  return name.toLowerCase().replace(/^request:/, "");
}

/** What is hidden with the secret, and is not User-Password, is told to nobody. */
function shown(value: string | undefined): string | undefined {
  return value === REDACTED ? undefined : value;
}

function passwordText(password: Buffer | undefined): string | undefined {
  return password?.toString(isUtf8(password) ? "utf8" : "latin1");
}

function hex(octets: Buffer | undefined): string | undefined {
  return octets === undefined ? undefined : `0x${octets.toString("hex")}`;
}

/** As the policy acct_unique of FreeRADIUS 3 makes it, so that a back end that has known one hub's records knows the other's. */
function acctUniqueSessionId(request: AaaRequest): string {
  const parts = ["User-Name", "Acct-Session-Id", "", "NAS-Identifier", "NAS-Port-Id", "NAS-Port"];
  const values = parts.map((name) => (name === "" ? undefined : request.text(name)) ?? "");
  values[2] = request.text("NAS-IPv6-Address") ?? request.text("NAS-IP-Address") ?? "";
  return hash("md5", values.join(","), "hex");
}

/** What rlm_rest calls the data types. */
const TYPE_NAMES: Partial<Readonly<Record<DataType, string>>> = {
  text: "string",
  ipv6addr: "ipv6addr",
  ether: "ethernet",
};
/** They change with each retransmission and hop, and say nothing of the user. */
const LEFT_OUT: ReadonlySet<number> = new Set([ATTRIBUTE.messageAuthenticator, ATTRIBUTE.proxyState]);

export interface AttributeValues {
  readonly name: string;
  readonly type: string;
  readonly values: readonly (string | number)[];
}

/** Every attribute of the packet, as a body without `data` has them. */
export function allAttributes(request: AaaRequest, dictionary: Dictionary): readonly AttributeValues[] {
  const found = new Map<string, { name: string; type: string; values: (string | number)[] }>();
  const lookup = requestLookup(request, dictionary);
  for (const each of dictionary.decode(request.packet.attributes)) {
    if (LEFT_OUT.has(each.type)) continue;
    const value = valueOf(each, lookup);
    if (value === undefined) continue;
    const dataType = dictionary.find(each.name)?.dataType ?? "octets";
    const entry = found.get(each.name) ?? { name: each.name, type: TYPE_NAMES[dataType] ?? dataType, values: [] };
    entry.values.push(value);
    found.set(each.name, entry);
  }
  return [...found.values()];
}

function valueOf({ name, value }: DecodedAttribute, lookup: Lookup): string | number | undefined {
  return value === REDACTED || name.toLowerCase() === "user-name" ? lookup(name) : value;
}
