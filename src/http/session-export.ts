import type { AcctSession } from "../store/acct-session.ts";
import type { Page } from "../store/types.ts";
import { csvLines } from "./csv.ts";
import { SESSION_COLUMNS, sessionJson } from "./session-json.ts";

interface ExportKind {
  readonly mediaType: string;
  readonly contentType: string;
  readonly head: string;
  readonly lines: (acctSessions: readonly AcctSession[]) => string;
}

export const EXPORTS = {
  csv: {
    mediaType: "text/csv",
    contentType: "text/csv; charset=utf-8; header=present",
    head: csvLines([SESSION_COLUMNS]),
    lines: (acctSessions) => csvLines(acctSessions.map((each) => Object.values(sessionJson(each)))),
  },
  ndjson: {
    mediaType: "application/x-ndjson",
    contentType: "application/x-ndjson",
    head: "",
    lines: (acctSessions) => acctSessions.map((each) => `${JSON.stringify(sessionJson(each))}\n`).join(""),
  },
} as const satisfies Record<string, ExportKind>;
export type ExportFormat = keyof typeof EXPORTS;

/** All acct sessions as text, a page at a time and only as fast as the caller reads.
 *  @param broken called when the store fails in between: it must cut the connection, because what is cut short must not look
 *    whole
 *  @throws {HubError} ERR_STORE, as long as nothing has been sent */
export async function exportStream(
  format: ExportFormat,
  pageAfter: (after: string | undefined) => Promise<Page<AcctSession>>,
  broken: (error: unknown) => void,
): Promise<ReadableStream<Uint8Array>> {
  const first = await pageAfter(undefined);
  return ReadableStream.from(unbroken(chunks(EXPORTS[format], first, pageAfter), broken));
}

/** An error that leaves the stream would be written by @hono/node-server into the export, and to standard error. */
export async function* unbroken(
  source: AsyncGenerator<Uint8Array>,
  broken: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* source;
  } catch (error) {
    broken(error);
  }
}

async function* chunks(
  { head, lines }: ExportKind,
  first: Page<AcctSession>,
  pageAfter: (after: string) => Promise<Page<AcctSession>>,
): AsyncGenerator<Uint8Array> {
  if (head !== "") yield Buffer.from(head);
  for (let page = first; ; page = await pageAfter(page.next)) {
    if (page.items.length > 0) yield Buffer.from(lines(page.items));
    if (page.next === undefined) return;
  }
}
