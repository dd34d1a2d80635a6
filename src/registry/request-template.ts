import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { type AttributePlace, parseDotted } from "../radius/attribute-place.ts";
import type { DecodedAttribute, Dictionary } from "../radius/dictionary.ts";
import { nasAddressAttributes } from "./nas-address.ts";

/** What a selection rule can see of the request that is looking for a link. */
export interface SelectionRequest {
  readonly attributes: readonly Attribute[];
  /** The NAS that the caller named apart from the attributes; it stands in for a NAS-Identifier or NAS address that they lack. */
  readonly target?: { readonly nasIdentifier?: string; readonly nasAddress?: string };
  /** The link that the request came on, for `linkId: current`. */
  readonly currentLinkId?: string | undefined;
}

/** "text": as people and JSON write values. "octets": latin1 text, one character an octet, so that any octets compare. */
export type TemplateForm = "text" | "octets";

/** The value for one request; undefined when the request lacks an attribute that it needs. */
export type Template = (request: SelectionRequest) => string | undefined;

/** One attribute that configuration names. */
export interface AttributeReader {
  readonly place: AttributePlace;
  /** All its values in a list of attributes, in wire order. */
  read(attributes: readonly Attribute[]): DecodedAttribute[];
}

const VARIABLE = /%\{([^}]*)\}/g;

/** Compiles text with `%{request.<Attribute-Name>}` in it.
 *  @throws {HubError} ERR_CONFIG for another variable or an unknown attribute */
export function compileTemplate(text: string, form: TemplateForm, dictionary: Dictionary): Template {
  const parts: Template[] = [];
  let end = 0;
  for (const { 0: variable, 1: name = "", index } of text.matchAll(VARIABLE)) {
    parts.push(literal(text.slice(end, index), form), variableOf(name, form, dictionary));
    end = index + variable.length;
  }
  if (parts.length === 0) return literal(text, form);
  parts.push(literal(text.slice(end), form));
  return (request) => {
    let whole = "";
    for (const part of parts) {
      const value = part(request);
      if (value === undefined) return undefined;
      whole += value;
    }
    return whole;
  };
}

/** @throws {HubError} ERR_CONFIG for a name that the dictionary does not have, or the name of a secret */
export function attributeReader(name: string, dictionary: Dictionary): AttributeReader {
  const definition = dictionary.find(name);
  const place = definition?.place ?? parseDotted(name.replace(/^attr-/i, ""));
  if (place === undefined) throw new HubError("ERR_CONFIG", `no dictionary has the attribute "${name}"`, { name });
  if (definition?.secret) throw new HubError("ERR_CONFIG", `${name} is a secret: nothing may compare it`, { name });
  return {
    place,
    read: (attributes) => {
      const ofType = attributes.filter((each) => each.type === place.type);
      return ofType.length === 0 ? [] : dictionary.decode(ofType).filter((each) => isAt(each, place));
    },
  };
}

function isAt(decoded: DecodedAttribute, place: AttributePlace): boolean {
  return (
    decoded.extendedType === place.extendedType &&
    decoded.vendor === place.vendor &&
    decoded.vendorType === place.vendorType
  );
}

function literal(text: string, form: TemplateForm): Template {
  const value = form === "octets" ? Buffer.from(text, "utf8").toString("latin1") : text;
  return () => value;
}

function variableOf(variable: string, form: TemplateForm, dictionary: Dictionary): Template {
  const [, name] = /^request\.(.+)$/.exec(variable) ?? [];
  if (name === undefined) {
    throw new HubError("ERR_CONFIG", `%{${variable}} is unknown: only %{request.<Attribute-Name>} is`, { variable });
  }
  const reader = attributeReader(name, dictionary);
  return (request) => {
    const decoded = reader.read(request.attributes)[0] ?? reader.read(targetAttributes(request))[0];
    return decoded && valueOf(decoded, form);
  };
}

/** Octets that are not UTF-8 decode to "0x..."; where octets are wanted they are taken as they came (IDX-05). */
function valueOf({ value, raw }: DecodedAttribute, form: TemplateForm): string {
  const text = String(value);
  if (form === "text") return text;
  return text === `0x${raw}`
    ? Buffer.from(raw, "hex").toString("latin1")
    : Buffer.from(text, "utf8").toString("latin1");
}

function targetAttributes({ target }: SelectionRequest): Attribute[] {
  const attributes: Attribute[] = [];
  if (target?.nasIdentifier !== undefined) {
    attributes.push({ type: ATTRIBUTE.nasIdentifier, value: Buffer.from(target.nasIdentifier, "latin1") });
  }
  if (target?.nasAddress !== undefined) attributes.push(...nasAddressAttributes(target.nasAddress));
  return attributes;
}
