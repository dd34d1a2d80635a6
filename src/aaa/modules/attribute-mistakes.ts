import { HubError } from "../../errors.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { AttributeInput } from "../../radius/values.ts";
import type { SettingMistake } from "../pipeline/types.ts";

/** Names of a list in the settings that no dictionary has. */
export function unknownNames(
  path: readonly (string | number)[],
  names: readonly string[],
  dictionary: Dictionary,
): SettingMistake[] {
  return names.flatMap((name, index) =>
    dictionary.find(name) === undefined
      ? [{ path: [...path, index], message: "no dictionary has an attribute of this name" }]
      : [],
  );
}

/** Attributes in the settings that can not be encoded. */
export function wrongValues(
  path: readonly (string | number)[],
  values: Readonly<Record<string, AttributeInput>>,
  dictionary: Dictionary,
): SettingMistake[] {
  return Object.entries(values).flatMap(([name, value]) => {
    try {
      dictionary.encode(name, value);
      return [];
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      return [{ path: [...path, name], message: error.message }];
    }
  });
}
