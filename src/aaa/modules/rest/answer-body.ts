import { isUtf8 } from "node:buffer";
import type { Json } from "./rendering.ts";
import type { CallSettings } from "./settings.ts";

/** What to do with an attribute. */
export const OPERATORS = [":=", "=", "+="] as const;
export type Operator = (typeof OPERATORS)[number];

/** An attribute that an answer tells. */
export interface Told {
  readonly list: "reply" | "control" | "request";
  readonly name: string;
  readonly op: Operator;
  readonly values: readonly (string | number | boolean)[];
}

/** Thrown for a body that makes no sense; the message never quotes it. */
export class UnreadableAnswer extends Error {}

/** The body of an answer; undefined for an empty one. @throws {UnreadableAnswer} */
export function readBody(
  body: Buffer,
  contentType: string | undefined,
  forceTo: CallSettings["forceTo"],
): Json | undefined {
  if (body.length === 0) return undefined;
  const kind = forceTo ?? kindOf(contentType);
  if (kind === undefined) throw new UnreadableAnswer("its Content-Type is neither JSON nor a form");
  if (!isUtf8(body)) throw new UnreadableAnswer("it is no UTF-8");
  if (kind === "post") return formValues(body.toString("utf8"));
  try {
    return JSON.parse(body.toString("utf8")) as Json;
  } catch {
    throw new UnreadableAnswer("it is no JSON");
  }
}

function kindOf(contentType: string | undefined): "json" | "post" | undefined {
  const type = contentType?.split(";")[0]?.trim().toLowerCase();
  if (type === "application/x-www-form-urlencoded") return "post";
  return type === undefined || type === "" || /^application\/(.+\+)?json$/.test(type) ? "json" : undefined;
}

/** A name that comes twice has both values, as with += in JSON. */
function formValues(text: string): Json {
  const values = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(text)) values.set(name, [...(values.get(name) ?? []), value]);
  return Object.fromEntries([...values].map(([name, value]) => [name, { op: value.length > 1 ? "+=" : ":=", value }]));
}

/** The attributes of an answer in the shape of rlm_rest: {"reply:Name": "value", "Name": {"op": ":=", "value": [...]}}. A bare name
 *  is one of the reply. All of several values count, whatever the op: so does rlm_rest 3.2.1, against what its raddb says. `do_xlat` is
 *  not obeyed: what a back end says is never expanded. @throws {UnreadableAnswer} */
export function toldIn(body: Json | undefined): readonly Told[] {
  if (body === undefined) return [];
  if (!isMap(body)) throw new UnreadableAnswer("it is no JSON object");
  return Object.entries(body).flatMap(([key, raw]): Told[] => {
    if (raw === null) return [];
    const { list, name } = placeOf(key);
    const { op, value } = isMap(raw) ? operation(raw) : { op: ":=" as const, value: raw };
    const values = (Array.isArray(value) ? value : [value]).filter((each) => each !== null && each !== "").map(scalar);
    if (values.length === 0) return [];
    return [{ list, name, op, values }];
  });
}

function placeOf(key: string): Pick<Told, "list" | "name"> {
  const [, list, name = key] = /^(?:outer\.)?(reply|control|request):(.+)$/.exec(key) ?? [];
  return { list: (list as Told["list"] | undefined) ?? "reply", name };
}

function operation(map: Readonly<Record<string, Json>>): { readonly op: Operator; readonly value: Json } {
  const { op = ":=", value } = map;
  if (!OPERATORS.includes(op as Operator)) throw new UnreadableAnswer('an "op" is none of :=, = and +=');
  if (value === undefined) throw new UnreadableAnswer('an attribute has no "value"');
  return { op: op as Operator, value };
}

/** JSON within a value is that JSON as text. */
function scalar(value: Json): string | number | boolean {
  return typeof value === "object" ? JSON.stringify(value) : value;
}

/** The value at "a.b[0].c" as text; undefined where there is none. */
export function jsonAt(body: Json | undefined, path: string): string | undefined {
  let at: Json | undefined = body;
  for (const step of path.split(/[.[\]]+/).filter((each) => each !== "")) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Readonly<Record<string, Json>>)[step];
  }
  if (at === undefined || at === null) return undefined;
  return typeof at === "object" ? JSON.stringify(at) : String(at);
}

function isMap(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
