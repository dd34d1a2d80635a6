import { HubError, type HubErrorCode } from "../errors.ts";

/** Every `code` an error answer can carry, with its status and title (RFC 9457 Section 3.1). Codes are API: never renamed. */
export const PROBLEMS = {
  "malformed-request": [400, "The request cannot be read"],
  "malformed-body": [400, "The body cannot be read"],
  unauthorized: [401, "Credentials are needed"],
  forbidden: [403, "The role does not allow this"],
  "network-not-allowed": [403, "The network is not allowed to call"],
  "foreign-host": [403, "The Host is not one of this hub"],
  "foreign-origin": [403, "The Origin is not this hub"],
  "not-found": [404, "There is no such thing"],
  "no-route": [404, "No link leads to the NAS"],
  "no-session": [404, "No open acct session fits"],
  "method-not-allowed": [405, "The method is not allowed here"],
  "request-timeout": [408, "The request took too long to arrive"],
  exists: [409, "There is such a thing already"],
  "in-use": [409, "Something else needs it"],
  nak: [409, "The NAS refused"],
  "precondition-failed": [412, "It has changed meanwhile"],
  "body-too-large": [413, "The body is too large"],
  "unsupported-media-type": [415, "The content type is not supported"],
  "bad-input": [422, "The input is not valid"],
  "no-target": [422, "Nothing says which NAS is meant"],
  "under-specified": [422, "The request could match more than one acct session"],
  "too-many-sessions": [422, "More acct sessions fit than one request may mean"],
  ambiguous: [422, "Several NASes share the name"],
  "attribute-not-allowed": [422, "An attribute does not belong in this request"],
  "too-long": [422, "The request does not fit into a RADIUS packet"],
  "idempotency-conflict": [422, "The Idempotency-Key was used for another request"],
  "precondition-required": [428, "The request must say which state it changes"],
  "headers-too-large": [431, "The header section is too large"],
  internal: [500, "The hub failed"],
  closed: [502, "The link closed before a reply came"],
  busy: [503, "The link is busy"],
  stopping: [503, "The hub is stopping"],
  "store-down": [503, "The store cannot be reached"],
  "not-ready": [503, "The hub is not ready"],
  timeout: [504, "The NAS did not answer in time"],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** Members beyond the standard ones: outcome fields, `errors`, `candidates`. */
export type ProblemFacts = Readonly<Record<string, unknown>>;

// Everything a caller cannot have caused is "internal": its message stays in the log.
const BY_ERROR = {
  ERR_RADIUS_LENGTH: "internal",
  ERR_RADIUS_ATTRIBUTE: "internal",
  ERR_RADIUS_TOO_LONG: "too-long",
  ERR_RADIUS_VALUE: "bad-input",
  ERR_DICTIONARY: "bad-input",
  ERR_SECRET: "internal",
  ERR_PROXY_HEADER: "internal",
  ERR_CONFIG: "internal",
  ERR_LISTEN: "internal",
  ERR_PKI: "internal",
  ERR_INPUT: "bad-input",
  ERR_UNDER_SPECIFIED: "under-specified",
  ERR_ATTRIBUTE_NOT_ALLOWED: "attribute-not-allowed",
  ERR_AMBIGUOUS: "ambiguous",
  ERR_NOT_FOUND: "not-found",
  ERR_STOPPED: "stopping",
  ERR_STORE: "store-down",
} as const satisfies Record<HubErrorCode, ProblemCode>;

/** A refusal to be thrown: app.ts answers it with the problem of that code. `detail` is shown to the caller. */
export function refusal(code: ProblemCode, detail: string, facts: ProblemFacts = {}): HubError {
  return new HubError("ERR_INPUT", detail, { problem: code, ...facts });
}

export interface Problem {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly facts: ProblemFacts;
}

/** What an error looks like from outside; undefined for one that is a fault of the hub. */
export function problemOf(error: unknown): Problem | undefined {
  if (!(error instanceof HubError)) return undefined;
  const { problem, ...facts } = error.details;
  const code = isProblemCode(problem) ? problem : BY_ERROR[error.code];
  return code === "internal" ? undefined : { code, detail: error.message, facts };
}

function isProblemCode(value: unknown): value is ProblemCode {
  return typeof value === "string" && Object.hasOwn(PROBLEMS, value);
}

/** The members of application/problem+json (RFC 9457 Section 3). The standard ones win over facts of the same name. */
export function problemJson(problem: Problem, requestId: string): Record<string, unknown> {
  const [status, title] = PROBLEMS[problem.code];
  return {
    ...problem.facts,
    type: `urn:radsec-hub:problem:${problem.code}`,
    title,
    status,
    detail: problem.detail,
    instance: `urn:radsec-hub:request:${requestId}`,
    code: problem.code,
    request_id: requestId,
  };
}
