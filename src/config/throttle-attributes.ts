import { assertSendable } from "../dynauth/request-rules.ts";
import { HubError } from "../errors.ts";
import { CODE } from "../radius/codes.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import type { AttributeInput } from "../radius/values.ts";
import type { Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";

/** Reports attributes of throttles that no dictionary has, whose value does not fit, or that no CoA-Request may carry: with
 *  any of them the quota could not act when it has to.
 *  @param root the values of hub.yaml, right or wrong */
export function checkThrottleAttributes(root: unknown, dictionary: Dictionary, report: Report): void {
  for (const [index, rule] of itemsOf(valueAt(root, "quota", "rules")).entries()) {
    for (const [position, threshold] of itemsOf(valueAt(rule, "thresholds")).entries()) {
      for (const key of ["attributes", "undo"]) {
        const set = valueAt(threshold, key);
        if (typeof set !== "object" || set === null || Array.isArray(set)) continue;
        for (const [name, value] of Object.entries(set)) {
          // Other kinds of values are a mistake that the schema tells of.
          if (!["string", "number", "boolean"].includes(typeof value)) continue;
          const message = mistakeIn(name, value as AttributeInput, dictionary);
          if (message !== undefined) report(["quota", "rules", index, "thresholds", position, key, name], message);
        }
      }
    }
  }
}

function mistakeIn(name: string, value: AttributeInput, dictionary: Dictionary): string | undefined {
  try {
    // Forced: whom it is about the quota adds itself.
    assertSendable(CODE.coaRequest, dictionary.encode(name, value), true);
    return undefined;
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return error.message;
  }
}
