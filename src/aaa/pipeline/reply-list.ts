import { HubError } from "../../errors.ts";
import { ATTRIBUTE, type Attribute } from "../../radius/attribute.ts";
import { type AttributePlace, decodePlaced, dottedNumber, parseDotted } from "../../radius/attribute-place.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { AttributeInput } from "../../radius/values.ts";
import { VENDOR_FORMAT_DEFAULT } from "../../radius/vendor.ts";
import type { ReplyList } from "./types.ts";

/** Attributes of a reply while modules work on them: the wire form, found by the names of the dictionary. */
export class ReplyAttributes implements ReplyList {
  readonly #dictionary: Dictionary;
  #attributes: readonly Attribute[];
  code: number | undefined;

  constructor(dictionary: Dictionary, attributes: readonly Attribute[] = [], code?: number) {
    this.#dictionary = dictionary;
    this.#attributes = attributes;
    this.code = code;
  }

  get attributes(): readonly Attribute[] {
    return this.#attributes;
  }

  /** The same now; from here on each changes by itself. */
  copy(): ReplyAttributes {
    return new ReplyAttributes(this.#dictionary, this.#attributes, this.code);
  }

  add(name: string, value: AttributeInput): void {
    this.push(this.#dictionary.encode(name, value));
  }

  set(name: string, value: AttributeInput): void {
    const encoded = this.#dictionary.encode(name, value);
    this.remove(name);
    this.push(encoded);
  }

  remove(name: string): boolean {
    const dotted = this.#dotted(name);
    const kept = this.#attributes.filter((each) => !placesIn(each).includes(dotted));
    const removed = kept.length < this.#attributes.length;
    if (removed) this.#attributes = kept;
    return removed;
  }

  keepOnly(names: readonly string[]): boolean {
    const places = new Set(names.map((name) => this.#dotted(name)));
    const kept = this.#attributes.filter(
      (each) => each.type === ATTRIBUTE.proxyState || placesIn(each).every((place) => places.has(place)),
    );
    const removed = kept.length < this.#attributes.length;
    if (removed) this.#attributes = kept;
    return removed;
  }

  has(name: string): boolean {
    const dotted = this.#dotted(name);
    return this.#attributes.some((each) => placesIn(each).includes(dotted));
  }

  push(attributes: readonly Attribute[]): void {
    this.#attributes = [...this.#attributes, ...attributes];
  }

  supersede(attributes: readonly Attribute[]): void {
    const places = new Set(attributes.flatMap(placesIn));
    this.#attributes = [
      ...this.#attributes.filter((each) => !placesIn(each).some((place) => places.has(place))),
      ...attributes,
    ];
  }

  replace(attributes: readonly Attribute[]): void {
    this.#attributes = [...attributes];
  }

  /** A tag ("Tunnel-Type:1") is no part of the place: all groups are meant. */
  #dotted(name: string): string {
    const bare = name.replace(/:\d{1,2}$/, "");
    const place: AttributePlace | undefined =
      this.#dictionary.find(bare)?.place ?? parseDotted(bare.replace(/^attr-/i, ""));
    if (place === undefined) throw new HubError("ERR_DICTIONARY", `unknown attribute "${name.slice(0, 64)}"`);
    return dottedNumber(place);
  }
}

/** The places of what an attribute holds. One that a vendor shares among several goes or stays as a whole. */
function placesIn(attribute: Attribute): string[] {
  return decodePlaced([attribute], () => VENDOR_FORMAT_DEFAULT).map(({ place }) => dottedNumber(place));
}
