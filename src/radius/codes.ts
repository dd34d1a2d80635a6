/** RADIUS packet codes (RFC 2865 Section 3, RFC 2866 Section 3, RFC 5997 Section 3, RFC 5176 Section 2, RFC 7930 Section 4). */
export const CODE = {
  accessRequest: 1,
  accessAccept: 2,
  accessReject: 3,
  accountingRequest: 4,
  accountingResponse: 5,
  accessChallenge: 11,
  statusServer: 12,
  disconnectRequest: 40,
  disconnectAck: 41,
  disconnectNak: 42,
  coaRequest: 43,
  coaAck: 44,
  coaNak: 45,
  protocolError: 52,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "Access-Request"],
  [2, "Access-Accept"],
  [3, "Access-Reject"],
  [4, "Accounting-Request"],
  [5, "Accounting-Response"],
  [11, "Access-Challenge"],
  [12, "Status-Server"],
  [40, "Disconnect-Request"],
  [41, "Disconnect-ACK"],
  [42, "Disconnect-NAK"],
  [43, "CoA-Request"],
  [44, "CoA-ACK"],
  [45, "CoA-NAK"],
  [52, "Protocol-Error"],
]);

const CODES_BY_NAME: ReadonlyMap<string, number> = new Map(
  [...NAMES].map(([code, name]) => [name.toLowerCase(), code]),
);

/** The RFC's name of a code, or "Code-99" for one without a name. */
export function codeName(code: number): string {
  return NAMES.get(code) ?? `Code-${code}`;
}

/** Parses "Disconnect-Request" (any case) or "40"; undefined when it is neither a name nor 1..255. */
export function parseCode(text: string): number | undefined {
  const named = CODES_BY_NAME.get(text.toLowerCase());
  if (named !== undefined) return named;
  const number = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return number >= 1 && number <= 255 ? number : undefined;
}

/** Codes that ask: a packet with one of these expects a reply. */
export const REQUEST_CODES: ReadonlySet<number> = new Set([1, 4, 12, 40, 43]);

const REPLIES: ReadonlyMap<number, ReadonlySet<number>> = new Map([
  [CODE.accessRequest, new Set([2, 3, 11, 52])],
  [CODE.accountingRequest, new Set([5, 52])],
  [CODE.statusServer, new Set([2, 5, 52])],
  [CODE.disconnectRequest, new Set([41, 42, 52])], // RFC 5176 Section 2.1; RFC 7930 Section 4
  [CODE.coaRequest, new Set([44, 45, 52])], // RFC 5176 Section 2.2
]);

/** Whether `reply` may answer `request` (RC-04). For a request code without a table any code that asks nothing will do. */
export function isReplyTo(request: number, reply: number): boolean {
  const replies = REPLIES.get(request);
  return replies === undefined ? !REQUEST_CODES.has(reply) : replies.has(reply);
}

/** Whether a reply says yes. A challenge asks for more, so it is not a refusal. */
export function isPositive(reply: number): boolean {
  return (
    reply === CODE.accessAccept ||
    reply === CODE.accountingResponse ||
    reply === CODE.accessChallenge ||
    reply === CODE.disconnectAck ||
    reply === CODE.coaAck
  );
}

/** Codes whose Request Authenticator is a digest and not a random number (RFC 2866 Section 3, RFC 5176 Section 2.3). */
export function hasComputedAuthenticator(request: number): boolean {
  return request === CODE.accountingRequest || request === CODE.disconnectRequest || request === CODE.coaRequest;
}
