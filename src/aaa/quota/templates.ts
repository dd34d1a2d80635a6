import type { Attribute } from "../../radius/attribute.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { NamedAttribute, QuotaOptions } from "./options.ts";

/** What a throttle sends, and what takes it back. */
export interface ThrottleTemplate {
  readonly attributes: readonly Attribute[];
  readonly undo: readonly Attribute[];
}

/** Thresholds that configuration had once and has no more, and whose throttles can still be taken back. */
const TEMPLATES_MAX = 1_000;

/** The attributes of every throttle, encoded. */
export class ThrottleTemplates {
  readonly #dictionary: Pick<Dictionary, "encode">;
  readonly #templates = new Map<string, ThrottleTemplate>();

  constructor(dictionary: Pick<Dictionary, "encode">) {
    this.#dictionary = dictionary;
  }

  /** @throws {HubError} ERR_DICTIONARY, ERR_RADIUS_VALUE: then nothing has changed */
  apply({ rules }: Pick<QuotaOptions, "rules">): void {
    const encoded = new Map<string, ThrottleTemplate>();
    for (const { name, thresholds } of rules) {
      for (const { percent, action } of thresholds) {
        if (action?.kind !== "throttle") continue;
        const attributes = encodeNamed(this.#dictionary, action.attributes);
        encoded.set(`${name} ${percent}`, { attributes, undo: encodeNamed(this.#dictionary, action.undo) });
      }
    }
    for (const [key, template] of encoded) {
      this.#templates.delete(key);
      this.#templates.set(key, template);
    }
    for (const key of this.#templates.keys()) {
      if (this.#templates.size <= TEMPLATES_MAX) break;
      if (!encoded.has(key)) this.#templates.delete(key);
    }
  }

  of(rule: string, percent: number): ThrottleTemplate | undefined {
    return this.#templates.get(`${rule} ${percent}`);
  }
}

/** @throws {HubError} ERR_DICTIONARY unknown name, ERR_RADIUS_VALUE bad value; the message names it */
function encodeNamed(dictionary: Pick<Dictionary, "encode">, named: readonly NamedAttribute[]): Attribute[] {
  return named.flatMap(({ name, value }) => dictionary.encode(name, value));
}
