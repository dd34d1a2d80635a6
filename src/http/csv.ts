import { stringify } from "csv-stringify/sync";
import type { Cell } from "./session-json.ts";

/** Lines of CSV (RFC 4180). Text that a spreadsheet would take for a formula gets a ' in front: a user chooses User-Name, and an
 *  operator opens the file. Other formats have it as it is. */
export function csvLines(rows: readonly (readonly Cell[])[]): string {
  // The library writes true as 1, and quotes a line end only if it is the one between lines.
  const texts = rows.map((cells) => cells.map((cell) => (typeof cell === "boolean" ? String(cell) : cell)));
  return stringify(texts, { record_delimiter: "\r\n", escape_formulas: true, quoted_match: /[\r\n]/ });
}
