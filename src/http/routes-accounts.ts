import { z } from "zod";
import type { Expected } from "../aaa/users/user-writer.ts";
import type { Plan, User } from "../store/user-types.ts";
import { exportAccounts } from "./account-export.ts";
import { importPlans, importUsers } from "./account-import.ts";
import { newUser, planJson, planMistakes, userJson, wantedPlan, wantedUser } from "./account-records.ts";
import { importFormat } from "./account-text.ts";
import type { ApiContext, Routes, Settings } from "./api-context.ts";
import { changedMeanwhile, etag, hasPresent, precondition, preconditionRequired } from "./etag.ts";
import { checkFields, textField, wholeField } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { decodeCursor, encodeCursor, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "./page.ts";
import { type Fields, readParameters, readQuery, refuseIfAny } from "./parameters.ts";
import { refusal } from "./problem.ts";

export type AccountDeps = Pick<HttpDeps, "clock" | "log"> & {
  readonly users: NonNullable<HttpDeps["users"]>;
  readonly plans: NonNullable<HttpDeps["plans"]>;
  readonly accounts: NonNullable<HttpDeps["accounts"]>;
  readonly ruleNames: () => readonly string[];
};

/** Records of an export that are made in one turn of the event loop, some 2 ms. */
const EXPORTED_AT_ONCE = 200;
const FORMATS = ["json", "ndjson", "csv"] as const;
const listQuery = {
  format: z.enum(FORMATS, `must be one of ${FORMATS.join(", ")}`).optional(),
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
} as const;
const userQuery = z.strictObject({ plan: textField.optional(), ...listQuery });
const planQuery = z.strictObject(listQuery);

/** /v1/users and /v1/users/{username}: the users of the store. */
export function userRoutes(deps: AccountDeps, settings: Settings): Routes {
  const { users, accounts, clock } = deps;
  const shown = (user: User) => userJson(user, clock);
  const put = async (fields: Fields, expected: Expected, before: User | undefined): Promise<User | undefined> => {
    const wanted = wantedUser(fields);
    refuseIfAny(await planMistakes(accounts, wanted.user.plan));
    return accounts.writer.putUser(await newUser(accounts, wanted, before), expected);
  };
  return {
    "/v1/users": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const query = checkFields(userQuery, readQuery(context.env.incoming));
          const filter = { plan: query.plan };
          const pageAfter = (after: string | undefined, limit: number) => users.list({ limit, after }, filter);
          if (query.format !== undefined && query.format !== "json") {
            return exportAccounts(
              context,
              query.format,
              "users",
              (after) => pageAfter(after, EXPORTED_AT_ONCE),
              shown,
              brokenExport(context, deps),
            );
          }
          const page = await pageAfter(cursorOf(query), query.limit ?? PAGE_SIZE_DEFAULT);
          return context.json({ users: page.items.map(shown), next_cursor: nextCursor(page.next) });
        },
      },
      POST: {
        role: "operator",
        answer: async (context) => {
          const format = importFormat(context.env.incoming.headers);
          if (format !== undefined) return context.json(await importUsers(context.env.incoming, format, deps));
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const user = await put(fields, "absent", undefined);
          if (user === undefined) throw exists("user");
          return stored(context, user, shown(user), placeOfUser(user.username));
        },
      },
    },
    "/v1/users/:username": {
      GET: {
        role: "monitor",
        answer: async (context) => shownOr404(context, await users.one(nameOf(context, "username")), shown),
      },
      PUT: {
        role: "operator",
        answer: async (context) => {
          const username = nameOf(context, "username");
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const before = await users.one(username);
          const expected = expectedOf(context, before);
          const user = await put(named(fields, "username", username), expected, before);
          if (user === undefined) throw changedMeanwhile();
          return stored(context, user, shown(user), before === undefined ? placeOfUser(username) : undefined);
        },
      },
      DELETE: {
        role: "operator",
        answer: async (context) => {
          const username = nameOf(context, "username");
          const revision = removable(context, await users.one(username));
          if (!(await accounts.writer.removeUser(username, revision))) throw changedMeanwhile();
          return context.body(null, 204);
        },
      },
    },
  };
}

/** /v1/plans and /v1/plans/{name}. */
export function planRoutes(deps: AccountDeps, settings: Settings): Routes {
  const { plans, users, accounts, ruleNames } = deps;
  return {
    "/v1/plans": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const query = checkFields(planQuery, readQuery(context.env.incoming));
          const pageAfter = (after: string | undefined, limit: number) => plans.list({ limit, after });
          if (query.format !== undefined && query.format !== "json") {
            return exportAccounts(
              context,
              query.format,
              "plans",
              (after) => pageAfter(after, EXPORTED_AT_ONCE),
              planJson,
              brokenExport(context, deps),
            );
          }
          const page = await pageAfter(cursorOf(query), query.limit ?? PAGE_SIZE_DEFAULT);
          return context.json({ plans: page.items.map(planJson), next_cursor: nextCursor(page.next) });
        },
      },
      POST: {
        role: "admin",
        answer: async (context) => {
          const format = importFormat(context.env.incoming.headers);
          if (format !== undefined) return context.json(await importPlans(context.env.incoming, format, deps));
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const plan = await accounts.writer.putPlan(wantedPlan(fields, ruleNames()), "absent");
          if (plan === undefined) throw exists("plan");
          return stored(context, plan, planJson(plan), placeOfPlan(plan.name));
        },
      },
    },
    "/v1/plans/:name": {
      GET: {
        role: "monitor",
        answer: async (context) => shownOr404(context, await plans.one(nameOf(context, "name")), planJson),
      },
      PUT: {
        role: "admin",
        answer: async (context) => {
          const name = nameOf(context, "name");
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const before = await plans.one(name);
          const expected = expectedOf(context, before);
          const plan = await accounts.writer.putPlan(wantedPlan(named(fields, "name", name), ruleNames()), expected);
          if (plan === undefined) throw changedMeanwhile();
          return stored(context, plan, planJson(plan), before === undefined ? placeOfPlan(name) : undefined);
        },
      },
      DELETE: {
        role: "admin",
        answer: async (context) => {
          const name = nameOf(context, "name");
          const revision = removable(context, await plans.one(name));
          const { items } = await users.list({ limit: 1 }, { plan: name });
          if (items.length > 0) throw refusal("in-use", "users have this plan: give them another one first");
          if (!(await accounts.writer.removePlan(name, revision))) throw changedMeanwhile();
          return context.body(null, 204);
        },
      },
    },
  };
}

/** What is cut short must not look whole. */
function brokenExport(context: ApiContext, { log }: AccountDeps): (error: unknown) => void {
  return (error) => {
    log.error({ err: error }, "an export of users or plans broke off");
    context.env.outgoing.destroy();
  };
}

function shownOr404<Item extends { readonly revision: string }>(
  context: ApiContext,
  item: Item | undefined,
  shown: (item: Item) => object,
): Response {
  if (item === undefined) throw notFound();
  context.header("ETag", etag(item.revision));
  return hasPresent(context, item.revision) ? context.body(null, 304) : context.json(shown(item));
}

/** A header has no letters beyond Latin-1. */
function placeOfUser(username: string): string {
  return `/v1/users/${encodeURIComponent(username)}`;
}

function placeOfPlan(name: string): string {
  return `/v1/plans/${encodeURIComponent(name)}`;
}

/** @param location of one that is new */
function stored(context: ApiContext, { revision }: User | Plan, shown: object, location: string | undefined): Response {
  context.header("ETag", etag(revision));
  if (location !== undefined) context.header("Location", location);
  return context.json(shown, location === undefined ? 200 : 201);
}

/** What a PUT may replace. @throws {HubError} ERR_INPUT: precondition-failed, precondition-required */
function expectedOf(context: ApiContext, before: User | Plan | undefined): Expected {
  const condition = precondition(context);
  if (condition === undefined && before !== undefined) throw preconditionRequired();
  // RFC 9110 Section 13.1.1: If-Match does not hold for what is not there, * included.
  const isForPresent = condition === "any" || typeof condition === "object";
  if (isForPresent && before === undefined) throw changedMeanwhile();
  if (condition === "absent" && before !== undefined) throw changedMeanwhile();
  return condition ?? "absent";
}

/** The revision that a DELETE is for; undefined for any.
 *  @throws {HubError} ERR_INPUT: not-found, precondition-failed, precondition-required */
function removable(context: ApiContext, before: User | Plan | undefined): string | undefined {
  const condition = precondition(context);
  if (before === undefined) throw notFound();
  if (condition === undefined) throw preconditionRequired();
  if (condition === "absent") throw changedMeanwhile();
  if (condition === "any") return undefined;
  if (condition.revision !== before.revision) throw changedMeanwhile();
  return condition.revision;
}

/** The name in the path, which the body may repeat. @throws {HubError} ERR_INPUT: bad-input */
function named(fields: Fields, field: string, name: string): Fields {
  if (field in fields && fields[field] !== name) refuseIfAny([{ field, detail: "is not the one in the path" }]);
  return { ...fields, [field]: name };
}

function nameOf(context: ApiContext, parameter: string): string {
  const name = context.req.param(parameter) ?? "";
  return checkFields(z.strictObject({ [parameter]: textField }), { [parameter]: name })[parameter] as string;
}

function cursorOf({ cursor }: { readonly cursor?: string | undefined }): string | undefined {
  return cursor === undefined ? undefined : decodeCursor(cursor);
}

function nextCursor(next: string | undefined): string | null {
  return next === undefined ? null : encodeCursor(next);
}

function exists(what: string): Error {
  return refusal("exists", `there is a ${what} of that name: change it with PUT`);
}

function notFound(): Error {
  return refusal("not-found", "there is none of that name");
}
