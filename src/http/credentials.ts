import { hash, timingSafeEqual } from "node:crypto";
import { HubError } from "../errors.ts";
import { type HttpOptions, ROLES, type Role } from "./options.ts";

/** Who calls, as far as was proven. */
export interface Caller {
  /** Name of the token or Basic user, or of the network that is trusted. Never a secret. */
  readonly name: string;
  readonly role: Role;
}

/** Whether `role` includes what `needed` may do. */
export function includesRole(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

interface Entry {
  readonly caller: Caller;
  readonly digest: Buffer;
}

/** The tokens and Basic users of the configuration; after construction it holds their digests only (invariant 10). */
export class Credentials {
  readonly #entries: readonly Entry[];
  /** The challenges of a 401 answer (RFC 9110 Section 11.6.1). */
  readonly challenge: string;

  /** @throws {HubError} ERR_CONFIG for an empty token or password */
  constructor(options: Pick<HttpOptions, "tokens" | "basic">) {
    const bearer = options.tokens.map(({ name, token, role }) => {
      if (token === "") throw new HubError("ERR_CONFIG", `http.tokens: the token of ${name} is empty`);
      return { caller: { name, role }, digest: digest("Bearer", token) };
    });
    const basic = options.basic.map(({ name, password, role }) => {
      if (password === "") throw new HubError("ERR_CONFIG", `http.basic: the password of ${name} is empty`);
      return { caller: { name, role }, digest: digest("Basic", `${name}:${password}`) };
    });
    this.#entries = [...bearer, ...basic];
    const schemes = ['Bearer realm="radsec-hub"'];
    if (basic.length > 0) schemes.push('Basic realm="radsec-hub", charset="UTF-8"');
    this.challenge = schemes.join(", ");
  }

  get empty(): boolean {
    return this.#entries.length === 0;
  }

  /** Who an Authorization header proves to be, undefined when it proves nothing. */
  verify(authorization: string): Caller | undefined {
    const presented = presentedDigest(authorization);
    if (presented === undefined) return undefined;
    let found: Caller | undefined;
    // No early exit: the time taken says neither which entry matched nor how far.
    for (const entry of this.#entries) if (timingSafeEqual(entry.digest, presented)) found = entry.caller;
    return found;
  }
}

function presentedDigest(authorization: string): Buffer | undefined {
  const [, scheme, value] = /^(bearer|basic) +(\S+) *$/i.exec(authorization) ?? [];
  if (scheme === undefined || value === undefined) return undefined;
  if (scheme.toLowerCase() === "bearer") return digest("Bearer", value);
  return digest("Basic", Buffer.from(value, "base64").toString("utf8")); // RFC 7617 Section 2: user-id ":" password
}

/** The scheme is part of what is hashed, so that no token passes as a Basic pair or the reverse. */
function digest(scheme: "Bearer" | "Basic", secret: string): Buffer {
  return hash("sha256", `${scheme} ${secret}`, "buffer");
}
