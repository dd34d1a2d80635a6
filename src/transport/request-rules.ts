import { ATTRIBUTE, type Attribute, firstInteger, firstValue } from "../radius/attribute.ts";
import { CODE, hasComputedAuthenticator } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import type { ClientEntry } from "./client-entry.ts";
import type { DropReason } from "./link.ts";

/** CRY-12: EAP without a Message-Authenticator is dropped (RFC 3579 Section 3.3), on every transport. */
export function eapFault(packet: Packet): DropReason | undefined {
  if (packet.messageAuthenticatorOffset !== -1) return undefined;
  return firstValue(packet.attributes, ATTRIBUTE.eapMessage) === undefined
    ? undefined
    : "request-no-message-authenticator";
}

/** BlastRADIUS, where nothing is encrypted: judged before any authenticator, and for Access-Request alone (BR-02, BR-03, BR-05).
 *  Where the Message-Authenticator stands does not matter (BR-04). */
export function blastRadiusFault(packet: Packet, client: ClientEntry): DropReason | undefined {
  if (packet.code !== CODE.accessRequest || packet.messageAuthenticatorOffset !== -1) return undefined;
  if (client.requireMessageAuthenticator) return "request-no-message-authenticator";
  const forwarded = client.limitProxyState && firstValue(packet.attributes, ATTRIBUTE.proxyState) !== undefined;
  return forwarded ? "request-proxy-state" : undefined;
}

/** Whether a verified request shows that its sender knows the secret: an Access-Request without Message-Authenticator may come
 *  from anybody. */
export function isProven({ code, messageAuthenticatorOffset }: Packet): boolean {
  return messageAuthenticatorOffset !== -1 || hasComputedAuthenticator(code);
}

/** Whether Event-Timestamp keeps a Disconnect- or CoA-Request out, as a replay or because there is none (DP-04, DP-05;
 *  RFC 5176 Section 6.3). Future and past count alike. */
export function timestampFault(
  { attributes }: Packet,
  wallMs: number,
  options: { readonly timestampWindowMs: number; readonly requireEventTimestamp: boolean },
): DropReason | undefined {
  const timestamp = firstInteger(attributes, ATTRIBUTE.eventTimestamp);
  if (timestamp === undefined) return options.requireEventTimestamp ? "request-no-timestamp" : undefined;
  return Math.abs(timestamp * 1_000 - wallMs) > options.timestampWindowMs ? "request-stale-timestamp" : undefined;
}

/** UL-05; RFC 2865 Section 4.1, RFC 5080 Section 2.7.1: it names its NAS, and has one kind of password at most. */
export function isValidAccessRequest(packet: Packet): boolean {
  const has = (type: number) => firstValue(packet.attributes, type) !== undefined;
  const named = namesNas(packet.attributes) && !(has(ATTRIBUTE.userPassword) && has(ATTRIBUTE.chapPassword));
  return named && !lacksState(packet);
}

/** UL-17; RFC 5080 Section 2.1.1: an authorisation check follows an earlier authentication, and State says which. */
export function lacksState({ attributes }: Packet): boolean {
  const authorizeOnly = firstInteger(attributes, ATTRIBUTE.serviceType) === SERVICE_TYPE_AUTHORIZE_ONLY;
  return authorizeOnly && firstValue(attributes, ATTRIBUTE.state) === undefined;
}

const SERVICE_TYPE_AUTHORIZE_ONLY = 17;

/** UL-11; RFC 2866 Sections 4.1, 5.5 and 5.13. */
export function isValidAccountingRequest({ attributes }: Packet): boolean {
  const has = (type: number) => firstValue(attributes, type) !== undefined;
  const complete = has(ATTRIBUTE.acctStatusType) && has(ATTRIBUTE.acctSessionId) && namesNas(attributes);
  return complete && !NEVER_IN_ACCOUNTING.some(has);
}

const NEVER_IN_ACCOUNTING = [
  ATTRIBUTE.userPassword,
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.state,
] as const;

function namesNas(attributes: readonly Attribute[]): boolean {
  for (const { type, value } of attributes) {
    if (type === ATTRIBUTE.nasIdentifier && value.length > 0) return true;
    if (type === ATTRIBUTE.nasIpAddress && value.length === 4 && !isLinkLocal4(value)) return true;
    if (type === ATTRIBUTE.nasIpv6Address && value.length === 16 && !isLinkLocal6(value)) return true;
  }
  return false;
}

/** 169.254.0.0/16, RFC 3927. */
function isLinkLocal4(value: Buffer): boolean {
  return value[0] === 169 && value[1] === 254;
}

/** fe80::/10, RFC 4291 Section 2.5.6. */
function isLinkLocal6(value: Buffer): boolean {
  return value[0] === 0xfe && ((value[1] as number) & 0xc0) === 0x80;
}
