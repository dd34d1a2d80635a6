/** Value of a name in a template; undefined: there is none. */
export type Lookup = (name: string) => string | undefined;

type Part = string | { readonly name: string; readonly fallback: string | undefined };

/** %{Name}, %{Name:-default}, and the default as FreeRADIUS writes it: %{%{Name}:-default}. */
const REFERENCE = /%%\{|%\{(?:%\{([^{}]+)\}|((?:(?!:-)[^{}])+))(?::-([^{}]*))?\}/g;

/** Text with %{...} in it. `%%{` stands for a plain `%{`; a `%` before anything else is itself. */
export class Template {
  readonly #parts: readonly Part[];

  private constructor(parts: readonly Part[]) {
    this.#parts = parts;
  }

  /** @returns the template, or what is wrong with the text */
  static parse(text: string): Template | { readonly problem: string } {
    const parts: Part[] = [];
    let at = 0;
    for (const match of text.matchAll(REFERENCE)) {
      const [whole, inner, plain, fallback] = match;
      parts.push(text.slice(at, match.index));
      at = match.index + whole.length;
      const name = (inner ?? plain)?.trim();
      parts.push(name === undefined ? "%{" : { name, fallback });
    }
    parts.push(text.slice(at));
    const open = parts.some((part, index) => index % 2 === 0 && (part as string).includes("%{"));
    if (open) return { problem: "has a %{...} that is none of %{Name}, %{Name:-default}; write %%{ for a plain %{" };
    return new Template(parts.filter((part) => part !== ""));
  }

  /** The names in it, in order. */
  get names(): readonly string[] {
    return this.#parts.flatMap((part) => (typeof part === "string" ? [] : [part.name]));
  }

  /** Names that have no default. */
  get required(): readonly string[] {
    return this.#parts.flatMap((part) => (typeof part === "string" || part.fallback !== undefined ? [] : [part.name]));
  }

  /** The text with the values in it: each escaped, an absent one is its default or nothing. */
  expand(lookup: Lookup, escape: (value: string) => string = asIs): string {
    let text = "";
    for (const part of this.#parts) {
      if (typeof part === "string") text += part;
      else text += escape(lookup(part.name) || (part.fallback ?? ""));
    }
    return text;
  }
}

function asIs(value: string): string {
  return value;
}
