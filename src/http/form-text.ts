import { utf8 } from "../registry/nas-name.ts";
import { refusal } from "./problem.ts";

/** Parses application/x-www-form-urlencoded octets, given as latin1 text, into pairs in order. Unlike URLSearchParams it turns
 *  nothing into U+FFFD: a name that is not what was typed would disconnect somebody else.
 *  @throws {HubError} ERR_INPUT */
export function parseForm(latin1: string, where: string): [name: string, value: string][] {
  const pairs: [string, string][] = [];
  for (const piece of latin1.split("&")) {
    if (piece === "") continue;
    const cut = piece.indexOf("=");
    const name = decodeComponent(cut < 0 ? piece : piece.slice(0, cut), where);
    pairs.push([name, cut < 0 ? "" : decodeComponent(piece.slice(cut + 1), where)]);
  }
  return pairs;
}

/** Visible ASCII without "%" and "+": most names and values stand for themselves. */
const PLAIN = /^[!-$&-*,-~]*$/;

function decodeComponent(latin1: string, where: string): string {
  if (PLAIN.test(latin1)) return latin1;
  if (/%(?![0-9a-f]{2})/i.test(latin1))
    throw refusal("malformed-request", `${where}: "%" without two hexadecimal digits`);
  const octets = latin1
    .replaceAll("+", " ")
    .replaceAll(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  const text = utf8(Buffer.from(octets, "latin1"));
  if (text === undefined) throw refusal("malformed-request", `${where}: not UTF-8`);
  return text;
}
