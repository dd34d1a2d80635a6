import { jsonAt, type Told } from "./answer-body.ts";
import { compiled, type Json } from "./rendering.ts";
import type { CallSettings } from "./settings.ts";
import type { Lookup, Template } from "./template.ts";

/** Attributes of a list by templates that name parts of the answer as %{json:path}. */
type Templates = readonly (readonly [string, Template])[];

const JSON_PREFIX = "json:";

/** Whether a name stands for a part of the answer. */
export function isJsonName(name: string): boolean {
  return name.startsWith(JSON_PREFIX);
}

/** Makes attributes of an answer that has a shape of its own. */
export class AnswerTemplates {
  readonly #reply: Templates;
  readonly #control: Templates;
  readonly #rejectReply: Templates;

  private constructor({ reply, control, rejectReply }: CallSettings) {
    this.#reply = templates(reply);
    this.#control = templates(control);
    this.#rejectReply = templates(rejectReply);
  }

  /** Undefined where the settings have none: answers then have the shape of rlm_rest. */
  static of(settings: CallSettings): AnswerTemplates | undefined {
    const { reply, control, rejectReply } = settings;
    return (reply ?? control ?? rejectReply) ? new AnswerTemplates(settings) : undefined;
  }

  /** A template of which a part is missing in the answer makes no attribute. */
  told(body: Json | undefined, rejects: boolean, request: Lookup): readonly Told[] {
    const lookup: Lookup = (name) => (isJsonName(name) ? jsonAt(body, name.slice(JSON_PREFIX.length)) : request(name));
    if (rejects) return expanded("reply", this.#rejectReply, lookup);
    return [...expanded("control", this.#control, lookup), ...expanded("reply", this.#reply, lookup)];
  }
}

function templates(texts: Readonly<Record<string, string>> = {}): Templates {
  return Object.entries(texts).map(([name, text]) => [name, compiled(text)] as const);
}

function expanded(list: Told["list"], named: Templates, lookup: Lookup): readonly Told[] {
  return named.flatMap(([name, template]): Told[] => {
    if (template.required.some((each) => lookup(each) === undefined)) return [];
    const value = template.expand(lookup);
    return value === "" ? [] : [{ list, name, op: ":=", values: [value] }];
  });
}
