import type { Dictionary } from "../../../radius/dictionary.ts";
import type { AaaRequest } from "../../pipeline/types.ts";
import { allAttributes, isPassword, requestLookup } from "./request-values.ts";
import type { CallSettings } from "./settings.ts";
import { type Lookup, Template } from "./template.ts";

/** One HTTP request, complete. */
export interface Rendered {
  readonly method: string;
  /** With the query, behind the origin. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
/** Json whose texts are templates. */
type JsonTemplate = Template | number | boolean | null | readonly JsonTemplate[] | ReadonlyMap<string, JsonTemplate>;

export interface RenderingMistake {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What is sent for one component. */
export class Rendering {
  readonly #settings: CallSettings;
  readonly #basePath: string;
  readonly #uri: Template;
  readonly #headers: readonly (readonly [string, Template])[];
  readonly #data: JsonTemplate | undefined;
  /** Every name that stands in it. */
  readonly names: readonly string[];
  /** Passwords that a request has to bring: without them there is nothing to ask. */
  readonly #passwords: readonly string[];

  /** @param headers of every call of the instance
   *  @throws {TypeError} for settings in which renderingMistakes() finds something */
  constructor(settings: CallSettings, basePath: string, headers: Readonly<Record<string, string>>) {
    this.#settings = settings;
    this.#basePath = basePath.replace(/\/$/, "");
    this.#uri = compiled(settings.uri);
    this.#headers = Object.entries({ ...headers, ...settings.headers }).map(([name, text]) => [name, compiled(text)]);
    const data = settings.data === undefined ? undefined : dataOf(settings);
    this.#data = data === undefined ? undefined : compiledJson(data);
    const templates = [this.#uri, ...this.#headers.map(([, template]) => template), ...templatesIn(this.#data)];
    this.names = templates.flatMap((each) => each.names);
    this.#passwords = templates.flatMap((each) => each.required).filter(isPassword);
  }

  /** Whether the back end is shown the password, and so can judge it. */
  get sendsPassword(): boolean {
    return this.names.some(isPassword) || (this.#settings.body !== "none" && this.#data === undefined);
  }

  /** "nothing": the request has no password to ask about. "invalid": a value would lead to another path. */
  render(request: AaaRequest, dictionary: Dictionary): Rendered | "nothing" | "invalid" {
    const lookup = requestLookup(request, dictionary);
    if (this.#passwords.some((name) => lookup(name) === undefined)) return "nothing";
    const path = this.#basePath + this.#uri.expand(lookup, escapedForUri);
    if (leadsAway(path)) return "invalid";
    const headers: Record<string, string> = {};
    for (const [name, template] of this.#headers) headers[name.toLowerCase()] = template.expand(lookup, printable);
    const { body: kind, method } = this.#settings;
    if (kind !== "none") headers["content-type"] ??= kind === "json" ? "application/json" : FORM;
    const body = kind === "none" ? undefined : this.#body(kind, lookup, request, dictionary);
    return { method: method.toUpperCase(), path, headers, body };
  }

  #body(kind: "json" | "post", lookup: Lookup, request: AaaRequest, dictionary: Dictionary): string {
    const data = this.#data;
    if (data !== undefined) {
      if (kind === "json") return JSON.stringify(expandedJson(data, lookup));
      return formText(Object.entries(expandedJson(data, lookup) as Readonly<Record<string, Json>>));
    }
    const all = allAttributes(request, dictionary);
    if (kind === "post")
      return formText(all.flatMap(({ name, values }) => values.map((value) => [name, value] as const)));
    return JSON.stringify(Object.fromEntries(all.map(({ name, type, values }) => [name, { type, value: values }])));
  }
}

const FORM = "application/x-www-form-urlencoded";

/** What is wrong with a template.
 *  @param isKnown whether a name can be in it */
export function templateMistakes(
  path: readonly (string | number)[],
  text: string,
  isKnown: (name: string) => boolean,
): readonly RenderingMistake[] {
  const parsed = Template.parse(text);
  if ("problem" in parsed) return [{ path, message: parsed.problem }];
  const unknown = parsed.names.filter((name) => !isKnown(name));
  return unknown.map((name) => ({ path, message: `%{${name}} is no attribute of a dictionary, and no name of rest` }));
}

/** What is wrong with `uri`, `headers` and `data`. */
export function renderingMistakes(
  settings: CallSettings,
  isKnown: (name: string) => boolean,
): readonly RenderingMistake[] {
  const mistakes: RenderingMistake[] = [];
  const look = (path: readonly (string | number)[], text: string): void => {
    mistakes.push(...templateMistakes(path, text, isKnown));
  };
  look(["uri"], settings.uri);
  for (const [name, text] of Object.entries(settings.headers)) look(["headers", name], text);
  if (settings.data === undefined) return mistakes;
  if (settings.body === "none") mistakes.push({ path: ["data"], message: "is for body: json or body: post" });
  const data = dataOf(settings);
  if (data === undefined) {
    const message =
      settings.body === "post"
        ? "must be a map of names and texts"
        : 'must be a map, or JSON in which every %{...} stands within "..."';
    mistakes.push({ path: ["data"], message });
    return mistakes;
  }
  for (const text of textsIn(data)) look(["data"], text);
  return mistakes;
}

/** `data` as a map: of JSON text, what it says. Values go into it once it is parsed, so that none can change its shape. */
function dataOf({ data, body }: CallSettings): Json | undefined {
  if (typeof data !== "string") return data as Json | undefined;
  if (body === "post") return undefined;
  try {
    return JSON.parse(data) as Json;
  } catch {
    return undefined; // no JSON
  }
}

function textsIn(data: Json): readonly string[] {
  if (typeof data === "string") return [data];
  return typeof data === "object" && data !== null
    ? Object.values(data as Readonly<Record<string, Json>>).flatMap(textsIn)
    : [];
}

/** @throws {TypeError} */
export function compiled(text: string): Template {
  const parsed = Template.parse(text);
  if ("problem" in parsed) throw new TypeError(parsed.problem);
  return parsed;
}

function compiledJson(data: Json): JsonTemplate {
  if (typeof data === "string") return compiled(data);
  if (typeof data !== "object" || data === null) return data;
  if (Array.isArray(data)) return data.map(compiledJson);
  return new Map(Object.entries(data).map(([key, value]) => [key, compiledJson(value as Json)]));
}

function templatesIn(data: JsonTemplate | undefined): readonly Template[] {
  if (data instanceof Template) return [data];
  if (data instanceof Map) return [...data.values()].flatMap(templatesIn);
  return Array.isArray(data) ? data.flatMap(templatesIn) : [];
}

function expandedJson(data: JsonTemplate, lookup: Lookup): Json {
  if (data instanceof Template) return data.expand(lookup);
  if (Array.isArray(data)) return data.map((each) => expandedJson(each as JsonTemplate, lookup));
  if (!(data instanceof Map)) return data as Json;
  return Object.fromEntries([...data].map(([key, value]) => [key, expandedJson(value as JsonTemplate, lookup)]));
}

function formText(pairs: readonly (readonly [string, Json])[]): string {
  const text = (value: Json): string => (typeof value === "object" ? JSON.stringify(value) : String(value));
  return pairs.map(([name, value]) => `${escapedForUri(name)}=${escapedForUri(text(value))}`).join("&");
}

function escapedForUri(value: string): string {
  return encodeURIComponent(value.toWellFormed());
}

/** A value that holds a line end could begin a header of its own. */
function printable(value: string): string {
  return value.replaceAll(/[^\x20-\x7e]/gu, (character) => escapedForUri(character));
}

/** "." and ".." as a whole step lead elsewhere, also where they are escaped (WHATWG URL). */
function leadsAway(path: string): boolean {
  const [steps = ""] = path.split("?");
  return steps.split("/").some((step) => /^(\.|%2e){1,2}$/i.test(step));
}
