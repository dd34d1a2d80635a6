/** Every code a {@link HubError} can carry. Codes are API: never renamed; the table in README.md lists the same set. */
export const HUB_ERROR_CODES = [
  "ERR_RADIUS_LENGTH",
  "ERR_RADIUS_ATTRIBUTE",
  "ERR_RADIUS_TOO_LONG",
  "ERR_RADIUS_VALUE",
  "ERR_DICTIONARY",
  "ERR_SECRET",
  "ERR_PROXY_HEADER",
  "ERR_CONFIG",
  "ERR_LISTEN",
  "ERR_PKI",
  "ERR_INPUT",
  "ERR_UNDER_SPECIFIED",
  "ERR_ATTRIBUTE_NOT_ALLOWED",
  "ERR_AMBIGUOUS",
  "ERR_NOT_FOUND",
  "ERR_STOPPED",
  "ERR_STORE",
] as const;

export type HubErrorCode = (typeof HUB_ERROR_CODES)[number];

/** The one error this program throws on purpose. Match on `code`; `message` is for people and never holds a secret. */
export class HubError extends Error {
  readonly code: HubErrorCode;
  /** Facts behind the message, safe to log and to show. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: HubErrorCode, message: string, details: Record<string, unknown> = {}, options?: ErrorOptions) {
    super(message, options);
    this.name = "HubError";
    this.code = code;
    this.details = details;
  }
}
