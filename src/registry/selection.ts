import ipaddr from "ipaddr.js";
import { HubError } from "../errors.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import { compileBoundedRegex } from "./bounded-regex.ts";
import { type MatchField, matchField } from "./match-field.ts";
import { inPreferenceOrder, type SelectMode } from "./preference.ts";
import type { Registry } from "./registry.ts";
import { compileTemplate, type SelectionRequest, type Template } from "./request-template.ts";
import type { LinkRecord } from "./types.ts";

/** Keys and what they must be; all keys must hold, of several values one. A value is a literal, text with
 *  `%{request.<Attribute-Name>}`, `/regex/i`, `*.x` for a DNS name, or a network for an address. */
export type SelectMatch = Readonly<Record<string, string | readonly string[]>>;

export interface SelectRule {
  readonly match: SelectMatch;
  readonly mode: SelectMode;
}

export interface SelectionDeps {
  readonly registry: Pick<Registry, "records" | "find" | "count">;
  readonly dictionary: Dictionary;
}

interface Selected {
  /** Best first; never empty. */
  readonly records: readonly LinkRecord[];
  readonly mode: SelectMode;
  /** Position of the rule that matched. */
  readonly rule: number;
}

/** The compiled rules of `dynauth.select`. */
export interface Selection {
  /** The links of the first rule that matches any open link; undefined without one. */
  select(request: SelectionRequest): Selected | undefined;
  /** The same links, best first; empty without a match. */
  candidates(request: SelectionRequest): LinkRecord[];
}

type Test = (value: string) => boolean;

interface Condition {
  readonly field: MatchField;
  readonly exact: readonly Template[];
  readonly tests: readonly Test[];
}

interface Rule {
  readonly conditions: readonly Condition[];
  readonly mode: SelectMode;
}

/** A condition with its templates filled in from one request. */
interface Wanted {
  readonly field: MatchField;
  readonly exact: ReadonlySet<string>;
  readonly tests: readonly Test[];
}

/** Compiles the rules once. A rule starts from the exact key with the fewest links and tests the rest on those, so its cost does
 *  not depend on the number of links; one that has only expressions, wildcards, networks or `status.` keys looks at every link.
 *  @throws {HubError} ERR_CONFIG that names the rule and the key */
export function compileSelection(rules: readonly SelectRule[], { registry, dictionary }: SelectionDeps): Selection {
  const compiled = rules.map(({ match, mode }, index): Rule => {
    const where = `dynauth.select[${index}].match`;
    const conditions = Object.entries(match).map(([key, value]) => compileCondition(where, key, value, dictionary));
    if (conditions.length === 0) throw new HubError("ERR_CONFIG", `${where} needs a key`, { key: where });
    return { conditions, mode };
  });
  const select = (request: SelectionRequest): Selected | undefined => {
    for (const [rule, { conditions, mode }] of compiled.entries()) {
      const records = inPreferenceOrder(matching(conditions, request, registry), mode);
      if (records.length > 0) return { records, mode, rule };
    }
    return undefined;
  };
  return { select, candidates: (request) => [...(select(request)?.records ?? [])] };
}

function matching(
  conditions: readonly Condition[],
  request: SelectionRequest,
  registry: SelectionDeps["registry"],
): LinkRecord[] {
  const wanted: Wanted[] = [];
  for (const { field, exact, tests } of conditions) {
    const filled = fillIn(field, exact, request);
    if (filled.size === 0 && tests.length === 0) return [];
    wanted.push({ field, exact: filled, tests });
  }
  const found: LinkRecord[] = [];
  for (const record of narrowest(wanted, registry)) if (wanted.every((each) => holds(each, record))) found.push(record);
  return found;
}

/** A value that needs an attribute which the request lacks matches nothing. */
function fillIn(field: MatchField, templates: readonly Template[], request: SelectionRequest): Set<string> {
  const filled = new Set<string>();
  for (const template of templates) {
    const value = template(request);
    const canonical = value === undefined ? undefined : field.canonical(value);
    if (canonical !== undefined) filled.add(canonical);
  }
  return filled;
}

function narrowest(wanted: readonly Wanted[], registry: SelectionDeps["registry"]): Iterable<LinkRecord> {
  let fewest = Number.POSITIVE_INFINITY;
  let links: () => Iterable<LinkRecord> = () => registry.records();
  for (const { field, exact, tests } of wanted) {
    const key = field.indexedAs;
    if (key === undefined || tests.length > 0) continue;
    let count = 0;
    for (const value of exact) count += registry.count(key, value);
    if (count >= fewest) continue;
    fewest = count;
    links = () => new Set([...exact].flatMap((value) => registry.find(key, value)));
  }
  return fewest === 0 ? [] : links();
}

function holds({ field, exact, tests }: Wanted, record: LinkRecord): boolean {
  for (const value of field.valuesOf(record)) {
    if (exact.has(value) || tests.some((test) => test(field.textOf(value)))) return true;
  }
  return false;
}

function compileCondition(
  where: string,
  key: string,
  value: string | readonly string[],
  dictionary: Dictionary,
): Condition {
  const path = `${where}.${key}`;
  try {
    const field = matchField(key, dictionary);
    const texts = typeof value === "string" ? [value] : value;
    const exact: Template[] = [];
    const tests: Test[] = [];
    for (const text of texts) {
      const test = key === "linkId" && text === "current" ? undefined : compileTest(field, text);
      if (test !== undefined) tests.push(test);
      else exact.push(compileExact(key, field, text, dictionary));
    }
    if (texts.length === 0) throw new HubError("ERR_CONFIG", "an empty list matches nothing");
    return { field, exact, tests };
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    throw new HubError("ERR_CONFIG", `${path}: ${error.message}`, { ...error.details, key: path }, { cause: error });
  }
}

function compileExact(key: string, field: MatchField, text: string, dictionary: Dictionary): Template {
  if (key === "linkId" && text === "current") return (request) => request.currentLinkId;
  if (field.values === "address" && !text.includes("%{") && field.canonical(text) === undefined) {
    throw new HubError("ERR_CONFIG", `"${text}" is neither an address nor a network`);
  }
  return compileTemplate(text, field.values === "octets" ? "octets" : "text", dictionary);
}

/** The test behind an expression, a wildcard or a network; undefined for a value that is compared as it stands. */
function compileTest(field: MatchField, text: string): Test | undefined {
  const [regex, pattern = "", flags = ""] = /^\/(.*)\/([a-z]*)$/s.exec(text) ?? [];
  if (regex !== undefined) {
    if (pattern.includes("%{")) throw new HubError("ERR_CONFIG", "a regular expression can not take a %{variable}");
    return compileBoundedRegex(pattern, flags);
  }
  if (field.values === "dns" && text.startsWith("*.")) {
    // TLS-15: the wildcard stands for one whole left-most label.
    const suffix = text.slice(1).toLowerCase();
    return (name) => name.indexOf(".") === Math.max(1, name.length - suffix.length) && name.endsWith(suffix);
  }
  return field.values === "address" && text.includes("/") ? networkTest(text) : undefined;
}

function networkTest(text: string): Test {
  if (!ipaddr.isValidCIDR(text)) throw new HubError("ERR_CONFIG", `"${text}" is no network`);
  const [network, bits] = ipaddr.parseCIDR(text);
  return (value) => {
    const address = ipaddr.isValid(value) ? ipaddr.process(value) : undefined;
    return address !== undefined && address.kind() === network.kind() && address.match(network, bits);
  };
}
