import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import { parse } from "csv-parse";
import { HubError } from "../errors.ts";
import { CSV_RECORD_BYTES_MAX, CsvLines, csvMistake } from "./csv-lines.ts";
import { parseJson } from "./json-text.ts";
import { utf8 } from "../registry/nas-name.ts";
import type { Fields, InputError } from "./parameters.ts";
import { refusal } from "./problem.ts";

export type ImportFormat = "csv" | "ndjson";

/** What one line says; `fields` is undefined where it can not be read. */
export interface Line {
  /** Of the text, from 1. */
  readonly number: number;
  readonly fields: Fields | undefined;
  readonly errors: readonly InputError[];
}

/** Lines of one import. */
const LINES_MAX = 100_000;
const CHUNK_BYTES = 65_536;
/** A few milliseconds of work. */
const LINES_PER_TURN = 50;

/** The format of a body with many records; undefined for a body with one.
 *  @throws {HubError} ERR_INPUT: unsupported-media-type for one that is compressed or in another character set */
export function importFormat(headers: IncomingMessage["headers"]): ImportFormat | undefined {
  const [type = "", ...parameters] = (headers["content-type"] ?? "")
    .split(";")
    .map((part) => part.trim().toLowerCase());
  const format = type === "text/csv" ? "csv" : type === "application/x-ndjson" ? "ndjson" : undefined;
  if (format === undefined) return undefined;
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length) ?? "utf-8";
  const encoding = headers["content-encoding"]?.toLowerCase() ?? "identity";
  if (encoding === "identity" && /^"?(?:utf-8|us-ascii)"?$/.test(charset)) return format;
  throw refusal("unsupported-media-type", "an import must be in UTF-8 and not compressed");
}

/** Reads the lines of an import a piece at a time, so that the hub goes on beside it.
 *  @param columns that CSV may have, the first of them it must
 *  @throws {HubError} ERR_INPUT: malformed-body, bad-input for a head that can not be meant or too many lines */
export async function* importLines(
  format: ImportFormat,
  body: Buffer,
  columns: readonly string[],
): AsyncGenerator<Line> {
  const text = utf8(body);
  if (text === undefined) throw refusal("malformed-body", "the body is not UTF-8");
  let count = 0;
  for await (const line of format === "csv" ? csvLines(body, columns) : jsonLines(text)) {
    count += 1;
    if (count > LINES_MAX) throw refusal("bad-input", `an import has at most ${LINES_MAX} records: send it in parts`);
    yield line;
    // Lines that wait in a stream come without a turn of the event loop between them.
    if (count % LINES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function* jsonLines(text: string): Generator<Line> {
  let number = 0;
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? undefined : end).trim();
    at = end < 0 ? text.length : end + 1;
    number += 1;
    if (line.length > CSV_RECORD_BYTES_MAX) yield unreadable(number, `longer than ${CSV_RECORD_BYTES_MAX} characters`);
    else if (line !== "") yield jsonLine(line, number);
  }
}

function jsonLine(line: string, number: number): Line {
  try {
    const value = parseJson(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return { number, fields: value, errors: [] };
    return unreadable(number, "must be a JSON object");
  } catch (error) {
    if (error instanceof HubError) return unreadable(number, error.message);
    throw error;
  }
}

/** @throws {HubError} ERR_INPUT: bad-input for the head */
async function* csvLines(body: Buffer, columns: readonly string[]): AsyncGenerator<Line> {
  const skipped: Line[] = [];
  const lines = new CsvLines();
  const parser = parse({
    bom: true,
    info: true,
    raw: true,
    skip_empty_lines: true,
    relax_column_count: true,
    max_record_size: CSV_RECORD_BYTES_MAX,
    skip_records_with_error: true,
    on_skip: (error, raw) => void skipped.push(unreadable(lines.ofMistake(error, raw), csvMistake(error))),
  });
  const chunks = Array.from({ length: Math.ceil(body.length / CHUNK_BYTES) }, (_, index) =>
    body.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES),
  );
  const records = Readable.from(chunks).pipe(parser) as AsyncIterable<CsvRecord>;
  let head: readonly string[] | undefined;
  for await (const { record, info, raw } of records) {
    yield* skipped.splice(0).map(lines.corrected);
    const number = lines.ofRecord(info.lines, raw);
    if (head === undefined) head = checkedHead(record, columns);
    else yield csvLine(record, head, number);
  }
  yield* skipped.splice(0).map(lines.corrected);
  if (head === undefined) throw refusal("bad-input", "the first line of CSV must name the columns");
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

function csvLine(record: readonly string[], head: readonly string[], number: number): Line {
  if (record.length !== head.length)
    return unreadable(number, `has ${record.length} cells, the head has ${head.length}`);
  const cells = record.map((cell, index) => {
    const name = head[index] as string;
    // Exports have no passwords, so that none is behind a ' of ours.
    return [name, name.startsWith("password") ? cell : unescapedFormula(cell)] as const;
  });
  // CSV has no word for "nothing" but an empty cell.
  return { number, fields: Object.fromEntries(cells.filter(([, cell]) => cell !== "")), errors: [] };
}

function checkedHead(record: readonly string[], columns: readonly string[]): readonly string[] {
  const names = record.map((name) => name.trim());
  const errors = names.flatMap((name, index) => {
    if (!columns.includes(name))
      return [{ line: 1, field: name, detail: `no column; there are ${columns.join(", ")}` }];
    return names.indexOf(name) < index ? [{ line: 1, field: name, detail: "given twice" }] : [];
  });
  const [required = ""] = columns;
  if (!names.includes(required)) errors.push({ line: 1, field: required, detail: "the column is missing" });
  if (errors.length === 0) return names;
  throw refusal("bad-input", "the head of the CSV can not be meant; nothing was imported", { errors });
}

function unreadable(number: number, detail: string): Line {
  return { number, fields: undefined, errors: [{ field: "", detail }] };
}

const FORMULA = /^['=+\-@\t\r\n＝＋－＠]/;

/** What a spreadsheet would take for a formula stands behind a ', and so does what begins with that. */
export function escapedFormula(text: string): string {
  return FORMULA.test(text) ? `'${text}` : text;
}

function unescapedFormula(cell: string): string {
  return cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell;
}
