import { parse } from "csv-parse/sync";
import { utf8 } from "../../registry/nas-name.ts";
import { octetText, textOctets } from "../../store/octet-text.ts";
import { CSV_RECORD_BYTES_MAX, CsvLines, csvMistake } from "../csv-lines.ts";
import type { CompatDeps } from "./deps.ts";
import { phcOfDjango } from "./django-hash.ts";

export const USERS_MAX = 1_000;

/** A user that a batch makes: with a password that is known now and never again, or with a hash alone. */
export interface BatchUser {
  readonly username: string;
  readonly password: string | undefined;
  /** PHC text. */
  readonly passwordHash: string | undefined;
  readonly email: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly note: string | undefined;
}

/** Letters and digits that nobody mixes up when they read them from paper: 10 of them are 57 bits. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const PASSWORD_LENGTH = 10;
const COLUMNS = 5;
const USERNAME_MAX = 64;
const CLEAR_TEXT = "cleartext$";
/** Nothing is sent there: it is kept with the user, and names one who has no name. */
const EMAIL = /^[^\s@<>]+@[^\s@<>]+$/;

/** Users "prefix1", "prefix2" and so on; a name that is taken is passed over.
 *  @throws {HubError} ERR_STORE */
export async function generatedUsers(prefix: string, count: number, deps: CompatDeps): Promise<readonly BatchUser[]> {
  const users: BatchUser[] = [];
  for (let number = 1; users.length < count; number += 1) {
    const username = `${prefix}${number}`;
    if ((await deps.users.one(username)) !== undefined) continue;
    const known = { passwordHash: undefined, email: "", firstName: "", lastName: "", note: undefined };
    users.push({ username, password: newPassword(deps), ...known });
  }
  return users;
}

/** Rows of username, password, e-mail address, first name, last name. A password is `cleartext$…`, a hash as
 *  Django writes it, or empty: then one is made. Without a user name it is what the address has before the "@".
 *  @returns every mistake with its line: then nothing is imported. @throws {HubError} ERR_STORE */
export async function csvUsers(
  octets: Buffer,
  deps: CompatDeps,
): Promise<readonly BatchUser[] | { readonly errors: readonly string[] }> {
  const rows = rowsOf(octets);
  if ("errors" in rows) return rows;
  const users: BatchUser[] = [];
  const errors: string[] = [];
  const lineOf = new Map<string, number>();
  for (const { line, cells } of rows) {
    const read = userOf(cells, deps);
    if (typeof read === "string") {
      errors.push(`line ${line}: ${read}`);
      continue;
    }
    const first = lineOf.get(read.username);
    if (first !== undefined) errors.push(`line ${line}: the same user name as on line ${first}`);
    else if ((await deps.users.one(read.username)) !== undefined)
      errors.push(`line ${line}: there is such a user already`);
    lineOf.set(read.username, line);
    users.push(read);
  }
  return errors.length > 0 ? { errors } : users;
}

interface Row {
  readonly line: number;
  readonly cells: readonly string[];
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
  readonly raw: string;
}

function rowsOf(octets: Buffer): readonly Row[] | { readonly errors: readonly string[] } {
  const text = utf8(octets);
  if (text === undefined) return { errors: ["the file is not UTF-8"] };
  const lines = new CsvLines();
  const mistakes: { readonly number: number; readonly detail: string }[] = [];
  const parsed = parse(text, {
    bom: true,
    info: true,
    raw: true,
    max_record_size: CSV_RECORD_BYTES_MAX,
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    trim: true,
    on_skip: (error, raw) => {
      mistakes.push({ number: lines.ofMistake(error, raw), detail: csvMistake(error) });
    },
  }) as unknown as readonly CsvRecord[];
  const rows = parsed.map(({ record, info, raw }) => ({ line: lines.ofRecord(info.lines, raw), cells: record }));
  if (mistakes.length > 0) return { errors: mistakes.map(({ number, detail }) => `line ${number}: ${detail}`) };
  if (rows.length === 0) return { errors: ["the file has no users"] };
  return rows.length > USERS_MAX ? { errors: [`more than ${USERS_MAX} users: send parts`] } : rows;
}

function userOf(cells: readonly string[], deps: CompatDeps): BatchUser | string {
  if (cells.length !== COLUMNS) return "must have username, password, e-mail address, first name, last name";
  const [name = "", secret = "", email = "", firstName = "", lastName = ""] = cells;
  const username = name === "" ? (email.split("@", 1)[0] ?? "") : name;
  if (username === "" || username.length > USERNAME_MAX) return "the user name must have 1 to 64 characters";
  if (octetText(textOctets(username)) !== username) return "the user name must be printable text";
  if (email !== "" && !EMAIL.test(email)) return "the e-mail address is none";
  const words = [firstName, lastName, email === "" ? "" : `<${email}>`].filter((word) => word !== "").join(" ");
  const user = { username, email, firstName, lastName, note: words === "" ? undefined : words };
  if (secret === "") return { ...user, password: newPassword(deps), passwordHash: undefined };
  if (secret.startsWith(CLEAR_TEXT)) {
    const password = secret.slice(CLEAR_TEXT.length);
    if (password === "" || Buffer.byteLength(password) > 128) return "the password must have 1 to 128 octets";
    return { ...user, password, passwordHash: undefined };
  }
  const passwordHash = phcOfDjango(secret);
  if (passwordHash === undefined) {
    return "the password must be cleartext$…, a hash that Django makes and no login is slow by, or empty";
  }
  return { ...user, password: undefined, passwordHash };
}

/** Every letter is as likely as any other: octets beyond a multiple of the alphabet are thrown away. */
function newPassword({ random }: CompatDeps): string {
  const usable = 256 - (256 % ALPHABET.length);
  let text = "";
  while (text.length < PASSWORD_LENGTH) {
    for (const octet of random.bytes(PASSWORD_LENGTH * 2)) {
      if (octet < usable && text.length < PASSWORD_LENGTH) text += ALPHABET[octet % ALPHABET.length];
    }
  }
  return text;
}
