import { z } from "zod";
import type { RouteRule } from "../../aaa/upstream/options.ts";
import { section, valueAt } from "../section.ts";
import { choice, flag, list, name, oneOrMany, refuse } from "../values.ts";

/** Labels of UTF-8 letters, since RFC 7542 realms may hold them; the first may be "*". */
const REALM = /^(\*|(\*\.)?[\p{L}\p{N}_-]+(\.[\p{L}\p{N}_-]+)*)$/u;

const realm = z
  .string("must be text")
  .transform((value, context) => {
    const expected = 'must be a realm such as example.org, "*.example.org", "*", or "" for users without one';
    return value === "" || REALM.test(value) ? value.toLowerCase() : refuse(context, expected);
  })
  .meta({
    description:
      'Realm of the user, behind the last @ or in front of the first \\; "*.example.org" is every one below, "*" any, "" a user without one.',
  });

const route = section(
  {
    realm: realm.optional(),
    listeners: oneOrMany(
      "Listeners, on one of which the request must have come.",
      name("Name of a listener."),
    ).optional(),
    kind: choice("auth: only Access-Requests. acct: only Accounting-Requests.", ["auth", "acct"]).optional(),
    pool: name("Pool that is asked.").optional(),
    answerHere: flag("In place of pool: the request is not passed on, and the hub answers it.").optional(),
  },
  (values, report) => {
    const [pool, answerHere] = [valueAt(values, "pool"), valueAt(values, "answerHere")];
    if (pool === undefined && answerHere !== true) report([], "needs pool, or answerHere: true");
    if (pool !== undefined && answerHere === true) report(["answerHere"], "contradicts pool: give one of them");
  },
).meta({ description: "Where requests go for which all keys hold." });

export const realmsSection = list("Where requests go; the first rule that fits counts, else the hub answers.", route);

export function routeRules(values: z.output<typeof realmsSection>): RouteRule[] {
  return values.map(({ realm, listeners, kind, pool }) => ({ realm, listeners, kind, pool }));
}
