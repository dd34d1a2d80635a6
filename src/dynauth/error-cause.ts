/** Error-Cause values (RFC 5176 Section 3.5; 510 draft-ietf-radext-deprecating-radius; 601 RFC 7930 Section 5). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [201, "Residual-Session-Context-Removed"],
  [202, "Invalid-EAP-Packet"],
  [401, "Unsupported-Attribute"],
  [402, "Missing-Attribute"],
  [403, "NAS-Identification-Mismatch"],
  [404, "Invalid-Request"],
  [405, "Unsupported-Service"],
  [406, "Unsupported-Extension"],
  [407, "Invalid-Attribute-Value"],
  [501, "Administratively-Prohibited"],
  [502, "Request-Not-Routable"],
  [503, "Session-Context-Not-Found"],
  [504, "Session-Context-Not-Removable"],
  [505, "Other-Proxy-Processing-Error"],
  [506, "Resources-Unavailable"],
  [507, "Request-Initiated"],
  [508, "Multiple-Session-Selection-Unsupported"],
  [510, "Missing-Message-Authenticator"],
  [601, "Response-Too-Big"],
]);

export const ERROR_CAUSE = {
  missingAttribute: 402,
  nasIdentificationMismatch: 403,
  invalidRequest: 404,
  unsupportedExtension: 406,
  requestNotRoutable: 502,
  sessionContextNotFound: 503,
  otherProxyProcessingError: 505,
  resourcesUnavailable: 506,
  requestInitiated: 507,
  multipleSessionSelectionUnsupported: 508,
} as const;

/** The RFC's name, or "Error-Cause-599" for a value without one. */
export function errorCauseName(value: number): string {
  return NAMES.get(value) ?? `Error-Cause-${value}`;
}
