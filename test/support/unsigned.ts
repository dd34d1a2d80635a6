import type { Attribute } from "../../src/radius/attribute.ts";

/** A Message-Authenticator that is not signed yet (RFC 3579 Section 3.2). */
export const UNSIGNED: Attribute = { type: 80, value: Buffer.alloc(16) };
