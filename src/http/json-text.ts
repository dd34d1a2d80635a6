import { refusal } from "./problem.ts";

export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue };

const BLANK = /[ \t\n\r]*/y;
// Runs of plain characters are one loop of their own: alternatives would cost the matcher memory for each character.
const STRING = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[ !#-[\]-\uffff]*)*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const LITERAL = /true|false|null/y;
/** Our choice: no body of this API nests deeper than four. */
const DEPTH_MAX = 16;
/** Our choice: a packet has 1,365 attributes at most, each of name and value. Many small values cost more than one large one. */
const VALUES_MAX = 5_000;

/** Parses JSON (RFC 8259) where JSON.parse would be too kind or too vague: a mistake is named by line and column, and a member
 *  given twice, a number that a double cannot hold and half a surrogate pair are mistakes.
 *  @throws {HubError} ERR_INPUT, problem malformed-body */
export function parseJson(text: string): JsonValue {
  return new JsonReader(text).whole();
}

class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #values = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): JsonValue {
    const value = this.#value();
    if (this.#at < this.#text.length) this.#fail("nothing may follow the value");
    return value;
  }

  #value(): JsonValue {
    this.#take(BLANK);
    this.#values += 1;
    if (this.#values > VALUES_MAX) this.#fail(`more than ${VALUES_MAX} values`);
    const value = this.#bare();
    this.#take(BLANK);
    return value;
  }

  #bare(): JsonValue {
    switch (this.#text[this.#at]) {
      case "{":
        return this.#nested<Record<string, JsonValue>>("}", {}, (into) => this.#member(into));
      case "[":
        return this.#nested<JsonValue[]>("]", [], (into) => into.push(this.#value()));
      case '"':
        return this.#string();
      default:
        return this.#scalar();
    }
  }

  #nested<T extends object>(end: string, into: T, element: (into: T) => unknown): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) this.#fail(`more than ${DEPTH_MAX} levels`);
    this.#at += 1;
    this.#take(BLANK);
    if (this.#text[this.#at] !== end) {
      for (;;) {
        element(into);
        if (this.#text[this.#at] !== ",") break;
        this.#at += 1;
      }
    }
    if (this.#text[this.#at] !== end) this.#fail(`expected "," or "${end}"`);
    this.#at += 1;
    this.#depth -= 1;
    return into;
  }

  #member(into: Record<string, JsonValue>): void {
    this.#take(BLANK);
    const start = this.#at;
    if (this.#text[start] !== '"') this.#fail("expected a member name in double quotes");
    const name = this.#string();
    if (Object.hasOwn(into, name)) {
      this.#at = start;
      this.#fail("the member is given twice");
    }
    this.#take(BLANK);
    if (this.#text[this.#at] !== ":") this.#fail('expected ":"');
    this.#at += 1;
    const value = this.#value();
    // Defined, not assigned: "__proto__" is a name like any other and must not become the prototype.
    Object.defineProperty(into, name, { value, enumerable: true, configurable: true, writable: true });
  }

  #string(): string {
    const start = this.#at;
    const quoted = this.#take(STRING);
    if (quoted === undefined) this.#fail("the text does not end, or holds a bare control character or a bad escape");
    const string = JSON.parse(quoted) as string;
    if (!string.isWellFormed()) {
      this.#at = start;
      this.#fail("half a surrogate pair is no character");
    }
    return string;
  }

  #scalar(): number | boolean | null {
    const start = this.#at;
    const literal = this.#take(LITERAL);
    if (literal !== undefined) return JSON.parse(literal) as boolean | null;
    const digits = this.#take(NUMBER);
    if (digits === undefined) this.#fail("expected a value");
    const number = Number(digits);
    if (!Number.isFinite(number) || (Number.isInteger(number) && !Number.isSafeInteger(number))) {
      this.#at = start;
      this.#fail("the number is too large: write it in double quotes");
    }
    return number;
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  #fail(what: string): never {
    const before = this.#text.slice(0, this.#at);
    const line = before.split("\n").length;
    const column = this.#at - before.lastIndexOf("\n");
    throw refusal("malformed-body", `JSON, line ${line}, column ${column}: ${what}`, { line, column });
  }
}
