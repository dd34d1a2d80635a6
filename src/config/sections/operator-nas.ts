import type { z } from "zod";
import type { Target } from "../../dynauth/exchange-request.ts";
import { ipAddress } from "../identities.ts";
import { section, valueAt } from "../section.ts";
import { refuse, text } from "../values.ts";

/** DP-21; RFC 8559 Section 3.4 */
const OPERATOR_NAS_IDENTIFIER = /^([0-9a-f]{2}){1,32}$/;

export const operatorNas = section(
  {
    operatorNasIdentifier: text("1 to 32 octets in hexadecimal.").transform((value, context) => {
      const digits = value.toLowerCase();
      const expected = "must be 1 to 32 octets in hexadecimal";
      return OPERATOR_NAS_IDENTIFIER.test(digits) ? digits : refuse(context, expected);
    }),
    nasIdentifier: text("NAS-Identifier of the NAS.").optional(),
    nasAddress: ipAddress("NAS-IP-Address or NAS-IPv6-Address of the NAS.").optional(),
  },
  (values, report) => {
    const named = ["nasIdentifier", "nasAddress"].some((key) => valueAt(values, key) !== undefined);
    if (!named) report([], "needs nasIdentifier or nasAddress");
  },
).meta({ description: "An Operator-NAS-Identifier and the NAS behind it." });

/** Both names must hold where both are given. */
export function targetOf({ nasIdentifier, nasAddress }: z.output<typeof operatorNas>): Target {
  return {
    ...(nasIdentifier !== undefined && { nasIdentifier: Buffer.from(nasIdentifier).toString("latin1") }),
    ...(nasAddress !== undefined && { nasAddress }),
  };
}
