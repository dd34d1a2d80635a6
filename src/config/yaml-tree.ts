import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type YAMLMap,
} from "yaml";
import { type KeyPath, keyText, type Problem } from "./problem.ts";
import { substitute, type ValueSource } from "./substitution.ts";
import { yamlMistake } from "./yaml-mistake.ts";

/** Where a value stands in the text, as offsets. */
interface Place {
  /** The key in front of it; undefined for the items of a list and for the whole document. */
  readonly keyAt: number | undefined;
  readonly valueAt: number;
  readonly children: Map<string | number, Place>;
  substituted: boolean;
}

// Bounds of our choice, far above any real file: without the first, a few lines of aliases of aliases fill the memory.
const ALIASED_VALUES_MAX = 100_000;
const DEPTH_MAX = 32;

/** The plain values of a YAML text, with substitutions made, and for each key path the place where it stands. */
export class YamlTree {
  /** False after a mistake in the syntax: the rest of the tree is then a guess, and so would be its mistakes. */
  readonly sound: boolean;
  /** Maps are objects without a prototype, so that a key `__proto__` is just an unknown key. */
  readonly root: unknown;
  readonly problems: readonly Problem[];
  readonly #file: string;
  readonly #source: ValueSource;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly #problems: Problem[] = [];
  readonly #place: Place = { keyAt: undefined, valueAt: 0, children: new Map(), substituted: false };
  /** Collections around the value that is being read. */
  readonly #open = new Set<unknown>();
  readonly #targets = new Map<Alias, Node | null>();
  /** Aliases around the value that is being read. */
  #aliases = 0;
  #aliasedValues = 0;
  #exhausted = false;

  constructor(text: string, file: string, source: ValueSource) {
    this.#file = file;
    this.#source = source;
    this.problems = this.#problems;
    // Pretty errors quote the line, which may hold a secret. Duplicate keys are found below, where their path is known.
    this.#document = parseDocument(text, { lineCounter: this.#lines, prettyErrors: false, uniqueKeys: false });
    const { contents, errors, warnings } = this.#document;
    for (const error of [...errors, ...warnings]) this.#fail(error.pos[0], [], yamlMistake(error));
    this.sound = this.#problems.length === 0;
    this.root = this.sound ? this.#value(contents, this.#place, []) : undefined;
  }

  /** A problem with `path`: at its key, or by default at its value, or at the nearest parent that stands in the text. */
  problemAt(path: KeyPath, message: string, at: "key" | "value" = "value"): Problem {
    let place = this.#place;
    let found = true;
    for (const step of path) {
      const child = place.children.get(step);
      found = child !== undefined;
      if (child === undefined) break;
      place = child;
    }
    const atValue = found && at === "value" && place.children.size === 0;
    return this.#problem(atValue ? place.valueAt : (place.keyAt ?? place.valueAt), path, message);
  }

  /** Whether the value came from the environment or a file: it is then text, whatever the schema expects. */
  substituted(path: KeyPath): boolean {
    let place: Place | undefined = this.#place;
    for (const step of path) place = place?.children.get(step);
    return place?.substituted ?? false;
  }

  #value(node: unknown, place: Place, path: KeyPath): unknown {
    if (this.#aliases > 0) this.#aliasedValues += 1;
    if (this.#aliasedValues > ALIASED_VALUES_MAX || path.length > DEPTH_MAX || this.#open.has(node)) {
      if (!this.#exhausted) this.#fail(place.valueAt, path, "refers to itself, or is too large or too deep");
      this.#exhausted = true; // told once
      return undefined;
    }
    if (isAlias(node)) {
      this.#aliases += 1;
      const value = this.#value(this.#target(node), place, path);
      this.#aliases -= 1;
      return value;
    }
    if (isCollection(node)) {
      this.#open.add(node);
      const value = isSeq(node)
        ? node.items.map((item, index) => this.#child(index, undefined, item, place, path))
        : this.#map(node as YAMLMap<Node, Node | null>, place, path);
      this.#open.delete(node);
      return value;
    }
    if (!isScalar(node)) return null;
    if (typeof node.value !== "string" || !node.value.includes("${")) return node.value;
    place.substituted = true;
    return substitute(node.value, this.#source, (message) => this.#fail(place.valueAt, path, message));
  }

  #map(map: YAMLMap<Node, Node | null>, place: Place, path: KeyPath): unknown {
    const object: Record<string, unknown> = Object.create(null);
    for (const { key, value } of map.items) {
      const keyAt = key.range?.[0] ?? place.valueAt;
      const name = isScalar(key) ? keyName(key.value) : undefined;
      if (name === undefined) {
        this.#fail(keyAt, path, "has a key that is not text");
        continue;
      }
      const earlier = place.children.get(name);
      if (earlier === undefined) {
        object[name] = this.#child(name, keyAt, value, place, path);
      } else {
        const { line } = this.#lines.linePos(earlier.keyAt ?? 0);
        this.#fail(keyAt, [...path, name], `duplicate key: it is already set on line ${line}`);
      }
    }
    return object;
  }

  #child(step: string | number, keyAt: number | undefined, node: unknown, parent: Place, path: KeyPath): unknown {
    const valueAt = (node as Node | null)?.range?.[0] ?? keyAt ?? parent.valueAt;
    const place: Place = { keyAt, valueAt, children: new Map(), substituted: false };
    parent.children.set(step, place);
    return this.#value(node, place, [...path, step]);
  }

  /** What an alias stands for. Kept, because yaml walks the whole document to find it. */
  #target(alias: Alias): unknown {
    let target = this.#targets.get(alias);
    if (target === undefined) {
      target = alias.resolve(this.#document) ?? null;
      this.#targets.set(alias, target);
    }
    return target;
  }

  #fail(offset: number, path: KeyPath, message: string): void {
    this.#problems.push(this.#problem(offset, path, message));
  }

  #problem(offset: number, path: KeyPath, message: string): Problem {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1), key: keyText(path), message };
  }
}

/** YAML reads the keys `1812:` and `true:` as a number and a boolean; here they are names like all others. */
function keyName(value: unknown): string | undefined {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean"
    ? String(value)
    : undefined;
}
