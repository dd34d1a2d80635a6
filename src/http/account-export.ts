import { stringify } from "csv-stringify/sync";
import type { Page } from "../store/types.ts";
import { PLAN_COLUMNS, USER_COLUMNS } from "./account-import.ts";
import { escapedFormula, type ImportFormat } from "./account-text.ts";
import type { ApiContext } from "./api-context.ts";
import { unbroken } from "./session-export.ts";

const TYPES = { csv: "text/csv; charset=utf-8; header=present", ndjson: "application/x-ndjson" } as const;
/** What no import takes: told of what is there, or a secret that never leaves. */
const USER_CSV = USER_COLUMNS.filter((name) => !name.startsWith("password"));

/** All records in the form that an import takes, passwords left out; a page at a time and only as fast as the caller reads.
 *  @throws {HubError} ERR_STORE, as long as nothing has been sent */
export async function exportAccounts<Item>(
  context: ApiContext,
  format: ImportFormat,
  kind: "users" | "plans",
  pageAfter: (after: string | undefined) => Promise<Page<Item>>,
  shown: (item: Item) => Readonly<Record<string, unknown>>,
  broken: (error: unknown) => void,
): Promise<Response> {
  const first = await pageAfter(undefined);
  const columns = kind === "users" ? USER_CSV : PLAN_COLUMNS;
  const lines = (items: readonly Item[]) => {
    const records = items.map(shown).map(importable);
    return format === "csv" ? csvText(records, columns) : records.map((each) => `${JSON.stringify(each)}\n`).join("");
  };
  const head = format === "csv" ? stringify([columns], { record_delimiter: "\r\n" }) : "";
  return context.body(ReadableStream.from(unbroken(chunks(head, first, pageAfter, lines), broken)), 200, {
    "Content-Type": TYPES[format],
    "Content-Disposition": `attachment; filename="${kind}.${format}"`,
  });
}

async function* chunks<Item>(
  head: string,
  first: Page<Item>,
  pageAfter: (after: string) => Promise<Page<Item>>,
  lines: (items: readonly Item[]) => string,
): AsyncGenerator<Uint8Array> {
  if (head !== "") yield Buffer.from(head);
  for (let page = first; ; page = await pageAfter(page.next)) {
    if (page.items.length > 0) yield Buffer.from(lines(page.items));
    if (page.next === undefined) return;
  }
}

function importable(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { status: _status, changed_at: _changed, warnings: _warnings, password_kind: _kind, ...rest } = record;
  return rest;
}

function csvText(records: readonly Readonly<Record<string, unknown>>[], columns: readonly string[]): string {
  const rows = records.map((record) => {
    const { overrides } = record;
    const flat = typeof overrides === "object" && overrides !== null ? { ...record, ...overrides } : record;
    return columns.map((column) => cell((flat as Readonly<Record<string, unknown>>)[column]));
  });
  return stringify(rows, { record_delimiter: "\r\n", quoted_match: /[\r\n]/ });
}

function cell(value: unknown): string | number | null {
  if (Array.isArray(value)) return escapedFormula(value.join(" "));
  if (typeof value === "string") return escapedFormula(value);
  if (typeof value === "boolean") return String(value);
  return typeof value === "number" ? value : null;
}
