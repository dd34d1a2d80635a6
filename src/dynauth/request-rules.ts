import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, firstInteger } from "../radius/attribute.ts";
import { CODE, codeName } from "../radius/codes.ts";

const SERVICE_TYPE_AUTHORIZE_ONLY = 17;

/** NAS identification (RFC 5176 Section 3). */
const NAS_IDENTIFICATION: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.nasIpAddress,
  ATTRIBUTE.nasIdentifier,
  ATTRIBUTE.nasIpv6Address,
]);

/** Session identification (RFC 5176 Section 3). */
const ACCT_SESSION_IDENTIFICATION: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.userName,
  ATTRIBUTE.nasPort,
  ATTRIBUTE.framedIpAddress,
  ATTRIBUTE.vendorSpecific,
  ATTRIBUTE.calledStationId,
  ATTRIBUTE.callingStationId,
  ATTRIBUTE.acctSessionId,
  ATTRIBUTE.acctMultiSessionId,
  ATTRIBUTE.nasPortId,
  ATTRIBUTE.chargeableUserIdentity,
  ATTRIBUTE.framedInterfaceId,
  ATTRIBUTE.framedIpv6Prefix,
  // Younger than RFC 5176, and of the same kind (RFC 4818, RFC 6911).
  ATTRIBUTE.delegatedIpv6Prefix,
  ATTRIBUTE.framedIpv6Address,
]);

/** Beside identification, what RFC 5176 Section 3.6 allows in a Disconnect-Request (RC-11). */
const DISCONNECT_ALSO: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.replyMessage,
  ATTRIBUTE.class,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.acctTerminateCause,
  ATTRIBUTE.eventTimestamp,
]);

/** Allowed beside identification and State when Service-Type is Authorize-Only (RC-12, RFC 5176 Section 3.2). */
const AUTHORIZE_ONLY_ALSO: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.serviceType,
  ATTRIBUTE.state,
  ATTRIBUTE.proxyState,
  ATTRIBUTE.eventTimestamp,
]);

/** Never in a CoA-Request: passwords, and what would be hidden with a zero Authenticator (CRY-16). */
const HIDDEN: ReadonlySet<number> = new Set<number>([
  ATTRIBUTE.userPassword,
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.tunnelPassword,
]);

/** At most one of each (PKT-11, RFC 5176 Section 3.3 and 3.6). */
const SINGLE: ReadonlySet<number> = new Set<number>([ATTRIBUTE.state, ATTRIBUTE.eventTimestamp, ATTRIBUTE.serviceType]);

const MICROSOFT = 311;
const MS_MPPE_KEYS: ReadonlySet<number> = new Set([16, 17]); // RFC 2548 Sections 2.4.2 and 2.4.3

/** Refuses what must not be sent to a NAS; other codes than 40 and 43 are the caller's own business.
 *  @throws {HubError} ERR_ATTRIBUTE_NOT_ALLOWED (RC-11, RC-12, PKT-11, CRY-16), ERR_UNDER_SPECIFIED (RC-10) */
export function assertSendable(code: number, attributes: readonly Attribute[], force: boolean): void {
  const seen = new Set<number>();
  for (const { type } of attributes) {
    if (type === ATTRIBUTE.messageAuthenticator) refuse(code, type, "the hub adds it itself");
    if (seen.has(type) && SINGLE.has(type)) refuse(code, type, "there may be one only");
    seen.add(type);
  }
  if (code === CODE.disconnectRequest) assertDisconnect(attributes);
  else if (code === CODE.coaRequest) assertCoa(attributes, seen);
  else return;
  if (!force && !identifiesAcctSession(code, seen)) {
    throw new HubError(
      "ERR_UNDER_SPECIFIED",
      `the ${codeName(code)} identifies no acct session: the NAS would act on every one that fits. Give a username, session id, calling station id or framed ip, or force it`,
      { code },
    );
  }
}

/** Whether a CoA-Request asks for re-authorisation: its answer is a NAK with Error-Cause 507, and no failure (RC-12). */
export function isAuthorizeOnly(attributes: readonly Attribute[]): boolean {
  return firstInteger(attributes, ATTRIBUTE.serviceType) === SERVICE_TYPE_AUTHORIZE_ONLY;
}

function assertDisconnect(attributes: readonly Attribute[]): void {
  for (const { type } of attributes) {
    if (!isIdentification(type) && !DISCONNECT_ALSO.has(type)) {
      refuse(CODE.disconnectRequest, type, "it identifies neither NAS nor acct session");
    }
  }
}

function assertCoa(attributes: readonly Attribute[], seen: ReadonlySet<number>): void {
  for (const { type, value } of attributes) {
    if (HIDDEN.has(type) || (type === ATTRIBUTE.vendorSpecific && isMppeKey(value))) {
      refuse(CODE.coaRequest, type, "its value would be hidden with a zero Authenticator");
    }
  }
  if (!isAuthorizeOnly(attributes)) return;
  if (!seen.has(ATTRIBUTE.state)) refuse(CODE.coaRequest, ATTRIBUTE.serviceType, "Authorize-Only needs State");
  for (const { type } of attributes) {
    if (!isIdentification(type) && !AUTHORIZE_ONLY_ALSO.has(type)) {
      refuse(CODE.coaRequest, type, "with Authorize-Only only identification attributes are allowed");
    }
  }
}

/** Called-Station-Id alone means everybody on an access point; in a CoA-Request a vendor attribute is what is to change (RC-13). */
function identifiesAcctSession(code: number, seen: ReadonlySet<number>): boolean {
  for (const type of seen) {
    if (type === ATTRIBUTE.calledStationId) continue;
    if (type === ATTRIBUTE.vendorSpecific && code === CODE.coaRequest) continue;
    if (ACCT_SESSION_IDENTIFICATION.has(type)) return true;
  }
  return false;
}

function isIdentification(type: number): boolean {
  return ACCT_SESSION_IDENTIFICATION.has(type) || NAS_IDENTIFICATION.has(type);
}

function isMppeKey(value: Buffer): boolean {
  return value.length >= 5 && value.readUInt32BE(0) === MICROSOFT && MS_MPPE_KEYS.has(value[4] as number);
}

function refuse(code: number, type: number, why: string): never {
  throw new HubError(
    "ERR_ATTRIBUTE_NOT_ALLOWED",
    `attribute ${type} does not belong into a ${codeName(code)}: ${why}`,
    {
      code,
      type,
    },
  );
}

/** Whether a request says anything of whom it means: NAS or acct session (RFC 5176 Section 3). */
export function identifiesAnything(attributes: readonly Attribute[]): boolean {
  return attributes.some(({ type }) => isIdentification(type));
}

/** Whether the caller named the NAS in the packet already. */
export function namesNas(attributes: readonly Attribute[]): boolean {
  return attributes.some(({ type }) => NAS_IDENTIFICATION.has(type));
}
