import type { IncomingMessage } from "node:http";
import type { NewUser } from "../aaa/users/user-writer.ts";
import { HubError } from "../errors.ts";
import { userFields, VALUE_NAMES } from "./account-fields.ts";
import { newUser, planMistakes, wantedPlan, type WantedUser, wantedUser } from "./account-records.ts";
import { type ImportFormat, importLines, type Line } from "./account-text.ts";
import { readBody } from "./body.ts";
import type { Fields, InputError } from "./parameters.ts";
import { refusal } from "./problem.ts";
import type { AccountDeps } from "./routes-accounts.ts";

/** Octets of an import; passwords of one that are still to be hashed, some minutes of work. */
const IMPORT_BYTES_MAX = 16 * 1024 * 1024;
const TO_HASH_MAX = 2_000;
/** Users that are completed at a time. */
const STEP = 64;
/** Users of one write: a millisecond or two of the event loop. */
const WRITTEN_AT_ONCE = 200;
/** Mistakes that are told one by one, 1 MB or so; the lines of others are counted. */
const MISTAKES_MAX = 10_000;

export const USER_COLUMNS: readonly string[] = [
  "username",
  ...Object.keys(userFields).filter((name) => name !== "overrides"),
  ...VALUE_NAMES,
];
export const PLAN_COLUMNS: readonly string[] = ["name", ...VALUE_NAMES, "quota", "note"];

interface LineError extends InputError {
  readonly line: number;
}

/** Stores every user of an import, or none where a line is not right: each mistake is named with its line. A user that is there is
 *  replaced; without a password it keeps its own.
 *  @throws {HubError} ERR_INPUT: bad-input with `errors`, body-too-large, malformed-body, busy; ERR_STORE */
export function importUsers(incoming: IncomingMessage, format: ImportFormat, deps: AccountDeps): Promise<object> {
  return oneAtATime(async () => {
    const body = await readBody(incoming, IMPORT_BYTES_MAX);
    const plans = new Map<string | undefined, Promise<InputError[]>>();
    let toHash = 0;
    const wanted = await checkedLines(importLines(format, body, USER_COLUMNS), async (fields) => {
      const user = wantedUser(format === "csv" ? nested(fields) : fields);
      const { plan, username } = user.user;
      const mistakes = plans.get(plan) ?? planMistakes(deps.accounts, plan);
      plans.set(plan, mistakes);
      const errors = [...(await mistakes)];
      if (typeof user.password === "object" && "as" in user.password && user.password.as === "hashed") toHash += 1;
      if (toHash > TO_HASH_MAX) {
        errors.push({
          field: "password",
          detail: `more than ${TO_HASH_MAX} to be hashed: send parts, or password_hash`,
        });
      }
      return { name: username, item: user, errors };
    });
    const hashed = await withHashes(wanted, deps);
    // Passwords that stay are read as late as can be: one that is changed meanwhile stays changed.
    for (let at = 0; at < hashed.length; at += WRITTEN_AT_ONCE) {
      await deps.accounts.writer.putUsers(await completed(hashed.slice(at, at + WRITTEN_AT_ONCE), deps));
    }
    return { imported: wanted.length };
  });
}

/** As importUsers(), for plans.
 *  @throws {HubError} ERR_INPUT: bad-input with `errors`, body-too-large, malformed-body, busy; ERR_STORE */
export function importPlans(incoming: IncomingMessage, format: ImportFormat, deps: AccountDeps): Promise<object> {
  return oneAtATime(async () => {
    const body = await readBody(incoming, IMPORT_BYTES_MAX);
    const ruleNames = deps.ruleNames();
    const plans = await checkedLines(importLines(format, body, PLAN_COLUMNS), (fields) => {
      const plan = wantedPlan(format === "csv" ? withRules(fields) : fields, ruleNames);
      return Promise.resolve({ name: plan.name, item: plan, errors: [] });
    });
    for (const plan of plans) await deps.accounts.writer.putPlan(plan, "any");
    return { imported: plans.length };
  });
}

let importing = false;

/** An import holds a whole file in memory: more than one at a time is more than anybody needs. */
async function oneAtATime<Result>(work: () => Promise<Result>): Promise<Result> {
  if (importing) throw refusal("busy", "another import is under way");
  importing = true;
  try {
    return await work();
  } finally {
    importing = false;
  }
}

interface Checked<Item> {
  readonly name: string;
  readonly item: Item;
  readonly errors: readonly InputError[];
}

async function checkedLines<Item>(
  lines: AsyncIterable<Line>,
  check: (fields: Fields) => Promise<Checked<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  const mistakes = new Mistakes();
  const lineOfName = new Map<string, number>();
  for await (const { number: line, fields, errors: unreadable } of lines) {
    const checked = fields === undefined ? unreadable : await checkedFields(fields, check);
    if (!("item" in checked)) {
      mistakes.add(line, checked);
      continue;
    }
    const { name, item } = checked;
    const first = lineOfName.get(name);
    mistakes.add(line, checked.errors);
    if (first !== undefined) mistakes.add(line, [{ field: "", detail: `the same name as on line ${first}` }]);
    else lineOfName.set(name, line);
    items.push(item);
  }
  mistakes.refuse();
  return items;
}

/** What is wrong with the lines of an import. */
class Mistakes {
  readonly #errors: LineError[] = [];
  #lines = 0;
  #lastLine = 0;
  #leftOut = 0;

  add(line: number, errors: readonly InputError[]): void {
    if (errors.length === 0) return;
    if (line !== this.#lastLine) this.#lines += 1;
    this.#lastLine = line;
    for (const error of errors) {
      if (this.#errors.length < MISTAKES_MAX) this.#errors.push({ line, ...error });
      else this.#leftOut += 1;
    }
  }

  /** @throws {HubError} ERR_INPUT: bad-input with `errors`, if there are any */
  refuse(): void {
    if (this.#lines === 0) return;
    const leftOut = this.#leftOut === 0 ? {} : { errors_left_out: this.#leftOut };
    const lines = this.#lines === 1 ? "1 line is" : `${this.#lines} lines are`;
    throw refusal("bad-input", `${lines} not right; nothing was imported`, { errors: this.#errors, ...leftOut });
  }
}

async function checkedFields<Item>(
  fields: Fields,
  check: (fields: Fields) => Promise<Checked<Item>>,
): Promise<Checked<Item> | readonly InputError[]> {
  try {
    return await check(fields);
  } catch (error) {
    const errors = error instanceof HubError && error.code === "ERR_INPUT" ? error.details["errors"] : undefined;
    if (!Array.isArray(errors)) throw error;
    // CSV has a column of that name.
    return (errors as InputError[]).map(({ field, detail }) => ({ field: field.replace(/^overrides\./, ""), detail }));
  }
}

/** @throws {HubError} ERR_INPUT: busy when too many passwords wait to be hashed */
async function withHashes(wanted: readonly WantedUser[], { accounts }: AccountDeps): Promise<WantedUser[]> {
  return inSteps(wanted, async (each) => {
    const { password } = each;
    if (typeof password !== "object" || !("as" in password)) return each;
    return { ...each, password: (await newUser(accounts, each, undefined)).password };
  });
}

function completed(wanted: readonly WantedUser[], { users, accounts }: AccountDeps): Promise<NewUser[]> {
  return inSteps(wanted, async (each) => {
    const before = each.password === "keep" ? await users.one(each.user.username) : undefined;
    return newUser(accounts, each, before);
  });
}

async function inSteps<From, To>(items: readonly From[], work: (item: From) => Promise<To>): Promise<To[]> {
  const done: To[] = [];
  for (let at = 0; at < items.length; at += STEP) {
    done.push(...(await Promise.all(items.slice(at, at + STEP).map(work))));
    // Where nothing is to be read or hashed, nothing of this takes a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
  }
  return done;
}

/** CSV is flat: the user's own values stand beside the rest. */
function nested(fields: Fields): Fields {
  const isValue = ([name]: readonly [string, unknown]) => (VALUE_NAMES as readonly string[]).includes(name);
  const entries = Object.entries(fields);
  const overrides = Object.fromEntries(entries.filter(isValue));
  const rest = Object.fromEntries(entries.filter((entry) => !isValue(entry)));
  return Object.keys(overrides).length === 0 ? rest : { ...rest, overrides };
}

function withRules(fields: Fields): Fields {
  const { quota } = fields;
  return typeof quota === "string" ? { ...fields, quota: quota.split(/\s+/).filter((rule) => rule !== "") } : fields;
}
