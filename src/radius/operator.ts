import { ATTRIBUTE, type Attribute } from "./attribute.ts";

/** Extended-Type of Operator-NAS-Identifier, 241.8 (RFC 8559 Section 3.4). */
export const OPERATOR_NAS_IDENTIFIER = 8;

/** Whether an attribute is Operator-NAS-Identifier, be it empty. */
export function isOperatorNasIdentifier({ type, value }: Attribute): boolean {
  return type === ATTRIBUTE.extended1 && value[0] === OPERATOR_NAS_IDENTIFIER;
}

/** The first Operator-NAS-Identifier that is not empty: opaque octets, a view into its attribute. */
export function operatorNasIdentifier(attributes: readonly Attribute[]): Buffer | undefined {
  return attributes.find((each) => isOperatorNasIdentifier(each) && each.value.length > 1)?.value.subarray(1);
}
