import { ATTRIBUTE, type Attribute, attribute, textAttribute } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import { type HidingHop, hideUserPassword } from "../../radius/hidden.ts";
import type { ProbeOptions } from "./options.ts";

/** The request that asks a server whether it is alive: any authentic reply says so.
 *  @param nasIdentifier who asks (RFC 5997 Section 3) */
export function probeRequest(
  { kind, userName, password }: ProbeOptions,
  nasIdentifier: string,
  hop: HidingHop,
): { readonly code: number; readonly attributes: readonly Attribute[] } {
  const asker = textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier);
  if (kind === "status-server") return { code: CODE.statusServer, attributes: [asker] };
  return { code: CODE.accessRequest, attributes: [...credentials(userName, password, hop), asker] };
}

/** User-Name and User-Password of a user who need not exist. */
export function credentials(userName: string, password: string, { secret, authenticator }: HidingHop): Attribute[] {
  const hidden = hideUserPassword(Buffer.from(password, "utf8"), secret, authenticator);
  return [textAttribute(ATTRIBUTE.userName, userName), attribute(ATTRIBUTE.userPassword, hidden)];
}
