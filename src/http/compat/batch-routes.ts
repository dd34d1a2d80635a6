import type { IncomingMessage } from "node:http";
import { z } from "zod";
import { LRUCache } from "lru-cache";
import type { Random } from "../../clock.ts";
import type { NewUser } from "../../aaa/users/user-writer.ts";
import { NEVER_MS } from "../../store/quota-types.ts";
import type { ApiContext, Endpoint, Routes } from "../api-context.ts";
import { type Answer, badRequest, NOT_FOUND, unavailable } from "./answers.ts";
import { type BatchUser, csvUsers, generatedUsers, USERS_MAX } from "./batch-users.ts";
import type { CompatDeps, CompatSettings } from "./deps.ts";
import { charField, checkedFields, choiceField, filledField, integerField, optional, parseDateTime } from "./fields.ts";
import { originOf } from "./page-links.ts";
import { readFields, type SentFile } from "./request-fields.ts";
import { voucherCsv, voucherPdf } from "./vouchers.ts";

/** Vouchers that can still be fetched: in memory alone, because they hold passwords (invariant 10). */
const KEPT_MAX = 16;
const KEPT_MS = 3_600_000;

const batchFields = z.object({
  name: filledField(128),
  strategy: choiceField(["prefix", "csv"]),
  prefix: filledField(20).optional(),
  number_of_users: optional(integerField(USERS_MAX, 1)),
  expiration_date: optional(
    z
      .string(dateError())
      .refine((text) => /^\d{4}-\d\d-\d\d$/.test(text) && parseDateTime(text) !== undefined, dateError()),
  ),
  /** Not of the original: the plan that the users get. */
  plan: optional(charField(128)),
});
type BatchFields = z.output<typeof batchFields>;

type Guard = (
  answer: (incoming: IncomingMessage, now: CompatSettings, context: ApiContext) => Promise<Answer | Response>,
) => Endpoint;

interface Vouchers {
  readonly name: string;
  readonly users: readonly BatchUser[];
}

/** batch/ of django-freeradius: makes users from a CSV file or from a prefix, with passwords, and vouchers to print. */
export function batchRoutes(deps: CompatDeps, guarded: Guard): Routes {
  const kept = new LRUCache<string, Vouchers>({ max: KEPT_MAX, ttl: KEPT_MS });
  let isBusy = false;
  const fetched = (render: (vouchers: Vouchers) => Promise<Response> | Response) =>
    guarded(async (_incoming, _now, context) => {
      const vouchers = kept.get(context.req.param("batch") ?? "");
      return vouchers === undefined ? NOT_FOUND : render(vouchers);
    });
  return {
    "/api/v1/batch/": {
      POST: guarded(async (incoming, now) => {
        // A batch hashes up to a thousand passwords: logins come between, a second batch does not.
        if (isBusy) return unavailable("another batch is under way");
        isBusy = true;
        try {
          const { fields, files } = await readFields(incoming, now.bodyBytesMax);
          const checked = checkedFields(batchFields, fields);
          if (!checked.ok) return badRequest(checked.errors);
          const origin = originOf(incoming.headers, now.publicUrl);
          return await made(checked.values, files.get("csvfile"), { deps, kept, origin });
        } finally {
          isBusy = false;
        }
      }),
    },
    "/api/v1/batch/:batch/pdf/": {
      GET: fetched(async ({ name, users }) => file(await voucherPdf(name, users), "application/pdf", "pdf")),
    },
    "/api/v1/batch/:batch/csv/": {
      GET: fetched(({ users }) => file(Buffer.from(voucherCsv(users)), "text/csv; charset=utf-8", "csv")),
    },
  };
}

interface Making {
  readonly deps: CompatDeps;
  readonly kept: LRUCache<string, Vouchers>;
  /** What the addresses of the vouchers begin with. */
  readonly origin: string;
}

async function made(values: BatchFields, csvfile: SentFile | undefined, making: Making): Promise<Answer> {
  const { deps, kept, origin } = making;
  const { name, strategy, prefix, number_of_users: count } = values;
  const missing = {
    ...(strategy === "prefix" && prefix === undefined && { prefix: "The field prefix cannot be empty" }),
    ...(strategy === "prefix" &&
      count === undefined && { number_of_users: "The field number_of_users cannot be empty" }),
    ...(strategy === "csv" && csvfile === undefined && { csvfile: "The field csvfile cannot be empty" }),
  };
  if (Object.keys(missing).length > 0) return { status: 400, body: missing };
  if ((await deps.records.one("batch", name)) !== undefined) {
    return badRequest({ name: ["radius batch with this name already exists."] });
  }
  if (values.plan !== undefined && (await deps.accounts.directory.plan(values.plan)) === undefined) {
    return badRequest({ plan: ["There is no such plan."] });
  }
  const users =
    strategy === "csv"
      ? await csvUsers((csvfile as SentFile).octets, deps)
      : await generatedUsers(prefix as string, count as number, deps);
  if ("errors" in users) return badRequest({ csvfile: users.errors });
  const stored = await hashed(users, values, deps);
  if (stored === undefined) return unavailable("too many passwords wait to be hashed");
  await deps.accounts.writer.putUsers(stored);
  const atMs = deps.clock.wallMs();
  const id = uuidOf(deps.random);
  const batch = { id, name, strategy, users: users.length };
  await deps.records.put([{ kind: "batch", key: name, atMs, expiresAtMs: NEVER_MS, value: JSON.stringify(batch) }]);
  kept.set(id, { name, users });
  deps.log.info({ batch: name, users: users.length }, `a batch made ${users.length} users`);
  return { status: 201, body: batchJson(values, users, { id, atMs, csvfile, origin }) };
}

function batchJson(
  { name, strategy, prefix, expiration_date }: BatchFields,
  users: readonly BatchUser[],
  made: { readonly id: string; readonly atMs: number; readonly csvfile: SentFile | undefined; readonly origin: string },
) {
  const { id, atMs, csvfile, origin } = made;
  const at = new Date(atMs).toISOString();
  return {
    id,
    users: users.map(({ username, email, firstName, lastName }) => ({
      username,
      email,
      first_name: firstName,
      last_name: lastName,
      is_active: true,
    })),
    // Shown here and on the vouchers, and nowhere else afterwards.
    user_credentials: users.flatMap(({ username, password }) => (password === undefined ? [] : [[username, password]])),
    prefix: strategy === "prefix" ? prefix : null,
    csvfile: strategy === "csv" ? (csvfile?.name ?? null) : null,
    pdf: `${origin}/api/v1/batch/${id}/pdf/`,
    strategy,
    name,
    expiration_date: expiration_date ?? null,
    created: at,
    modified: at,
  };
}

/** A few at a time: a batch takes no more of the hashing than it must. Undefined when too many wait. */
async function hashed(
  users: readonly BatchUser[],
  { expiration_date, plan }: BatchFields,
  { accounts }: CompatDeps,
): Promise<NewUser[] | undefined> {
  const validUntilMs = expiration_date === undefined ? undefined : Date.parse(expiration_date) + DAY_MS;
  const bounds = { validFromMs: undefined, validUntilMs, disabled: false };
  const stored: NewUser[] = [];
  for (let first = 0; first < users.length; first += HASHED_AT_ONCE) {
    const step = users.slice(first, first + HASHED_AT_ONCE).map(async ({ username, password, passwordHash, note }) => {
      const before = passwordHash === undefined ? undefined : ({ kind: "hashed", secret: passwordHash } as const);
      const kept = before ?? (await accounts.passwords.stored(password ?? ""));
      return kept && { username, password: kept, ...bounds, plan, overrides: {}, note };
    });
    for (const user of await Promise.all(step)) {
      if (user === undefined) return undefined;
      stored.push(user);
    }
  }
  return stored;
}

/** Random (RFC 9562 Section 5.4), as the original has it. */
function uuidOf(random: Random): string {
  const octets = Buffer.from(random.bytes(16));
  octets[6] = ((octets[6] as number) & 0x0f) | 0x40;
  octets[8] = ((octets[8] as number) & 0x3f) | 0x80;
  return octets.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Logins wait behind so many at the most. */
const HASHED_AT_ONCE = 8;
/** The whole last day, in UTC. */
const DAY_MS = 86_400_000;

function file(octets: Buffer, type: string, extension: string): Response {
  const headers = { "Content-Type": type, "Content-Disposition": `attachment; filename="vouchers.${extension}"` };
  return new Response(new Uint8Array(octets), { headers });
}

function dateError(): string {
  return "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.";
}
