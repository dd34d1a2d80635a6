import type { IncomingMessage } from "node:http";
import type { CompatSettings } from "./deps.ts";

const SIZE_DEFAULT = 10;
const SIZE_MAX = 100;

export interface NumberedPage {
  /** From 1. */
  readonly number: number;
  readonly size: number;
  /** Index of its first item. */
  readonly first: number;
  /** At least 1, also of nothing. */
  readonly last: number;
}

/** The page that `page` and `page_size` ask for; undefined for one that is not there. A size that makes no sense is the default, as
 *  Django REST framework has it. */
export function pageOf(query: URLSearchParams, items: number): NumberedPage | undefined {
  const wanted = query.get("page_size") ?? "";
  const size = /^[1-9]\d{0,8}$/.test(wanted) ? Math.min(Number(wanted), SIZE_MAX) : SIZE_DEFAULT;
  const last = Math.max(1, Math.ceil(items / size));
  const text = query.get("page") ?? "1";
  const number = text === "last" ? last : /^\d{1,9}$/.test(text) ? Number(text) : 0;
  return number < 1 || number > last ? undefined : { number, size, first: (number - 1) * size, last };
}

/** The value of a Link header (RFC 8288): first and prev from the second page on, next and last before the last; "" for a single
 *  page. The addresses keep the query of the caller, and with it a token that was in it. */
export function pageLinks(
  { headers, url = "" }: Pick<IncomingMessage, "headers" | "url">,
  query: URLSearchParams,
  { number, last }: NumberedPage,
  { publicUrl }: Pick<CompatSettings, "publicUrl">,
): string {
  const [path = ""] = url.split("?", 1);
  const address = (page: number | undefined): string => {
    const changed = new URLSearchParams(query);
    if (page === undefined) changed.delete("page");
    else changed.set("page", String(page));
    changed.sort();
    const text = changed.toString();
    return `${originOf(headers, publicUrl)}${path}${text === "" ? "" : `?${text}`}`;
  };
  const links: [string, number | undefined][] = [];
  if (number > 1) links.push(["first", undefined]);
  if (number < last) links.push(["next", number + 1]);
  if (number > 1) links.push(["prev", number === 2 ? undefined : number - 1]);
  if (number < last) links.push(["last", last]);
  return links.map(([relation, page]) => `<${address(page)}>; rel="${relation}"`).join(", ");
}

/** What the address of a page begins with. Forwarded headers are not believed: anybody can write them. */
export function originOf({ host }: IncomingMessage["headers"], publicUrl: string | undefined): string {
  return publicUrl ?? `http://${host ?? "localhost"}`;
}
