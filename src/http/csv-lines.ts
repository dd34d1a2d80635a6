import type { CsvError } from "csv-parse";

/** Octets of one record of CSV. */
export const CSV_RECORD_BYTES_MAX = 65_536;

/** Where records of csv-parse begin. The library counts to where they end, and CR and LF each within quotation marks. */
export class CsvLines {
  #countedTwice = 0;

  /** @param raw the record as it was, with the empty lines in front of it */
  ofRecord(lines: number, raw: string): number {
    const text = raw.trim();
    const own = text.split("\r\n").length - 1;
    const number = lines - this.#countedTwice - own - lineEnds(text);
    this.#countedTwice += own;
    return number;
  }

  /** Of a record that can not be read, where the library is when it says so; see corrected(). */
  ofMistake(error: CsvError | undefined, raw: string | undefined): number {
    const lines: unknown = error?.["lines"];
    const text = raw ?? "";
    return typeof lines === "number" ? lines - lineEnds(text.trimEnd()) - (text.split("\r\n").length - 1) : 0;
  }

  /** What ofMistake() has found, by what the records before it have told. */
  readonly corrected = <Found extends { readonly number: number }>(found: Found): Found => ({
    ...found,
    number: found.number - this.#countedTwice,
  });
}

/** In our words: what the library says repeats the text of the line, which may hold a password. */
export function csvMistake(error: CsvError | undefined): string {
  switch (error?.code) {
    case "CSV_QUOTE_NOT_CLOSED":
      return "a quotation mark is not closed";
    case "CSV_MAX_RECORD_SIZE":
      return `longer than ${CSV_RECORD_BYTES_MAX} octets`;
    case "CSV_INVALID_CLOSING_QUOTE":
    case "INVALID_OPENING_QUOTE":
      return 'a quotation mark stands where none may; inside of quotation marks write ""';
    default:
      return "can not be read as CSV";
  }
}

function lineEnds(text: string): number {
  return text.split("\n").length - 1;
}
