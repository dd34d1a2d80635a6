import { z } from "zod";
import { amountsOf, parseAmount, type WrittenAmount } from "../aaa/quota/amounts.ts";
import type { Standing } from "../aaa/quota/rules.ts";
import { NEVER_MS, type QuotaOverride } from "../store/quota-types.ts";
import type { PeriodUsage } from "../store/types.ts";
import type { ApiContext, Routes, Settings } from "./api-context.ts";
import { closest } from "./closest.ts";
import { checkFields, textField } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { readParameters, refuseIfAny } from "./parameters.ts";
import { refusal } from "./problem.ts";

const AMOUNT_ERROR =
  'must be octets or seconds as a whole number, an amount such as "50GB" or "30h", or null for no limit';
const amountField = z.union([z.int().min(0), z.string().transform(writtenAmount)], AMOUNT_ERROR).nullable();
const overrideFields = z.strictObject({
  limits: z
    .array(
      z.strictObject({
        rule: textField,
        amount: amountField,
      }),
      "must be a list of rule and amount",
    )
    .max(100, "must be at most 100"),
  note: textField.optional(),
});

type UsageDeps = Pick<HttpDeps, "quota"> & { readonly usage: NonNullable<HttpDeps["usage"]> };

/** GET /v1/users/{username}/usage: what was used in each period, and where that leaves the user. */
export function usageRoutes({ usage, quota }: UsageDeps): Routes {
  return {
    "/v1/users/:username/usage": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const username = usernameOf(context);
          const [periods, standings = []] = await Promise.all([usage.periods(username), quota?.standingsOf(username)]);
          return context.json({ username, periods: periods.map(periodJson), quota: standings.map(standingJson) });
        },
      },
    },
  };
}

type QuotaDeps = Pick<HttpDeps, "clock"> & {
  readonly quotaStore: NonNullable<HttpDeps["quotaStore"]>;
  readonly quota: NonNullable<HttpDeps["quota"]>;
};

/** GET, PUT and DELETE /v1/users/{username}/quota: amounts for one user instead of those in hub.yaml. */
export function quotaRoutes({ clock, quotaStore, quota }: QuotaDeps, settings: Settings): Routes {
  return {
    "/v1/users/:username/quota": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const override = await quotaStore.override(usernameOf(context));
          if (override === undefined) throw noOverride(context);
          return context.json(overrideJson(override));
        },
      },
      PUT: {
        role: "operator",
        answer: async (context) => {
          const username = usernameOf(context);
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const { limits, note } = checkFields(overrideFields, fields);
          refuseUnknownRules(limits, quota.ruleNames());
          refuseOtherAmounts(limits, quota.countsOf);
          const override: QuotaOverride = {
            username,
            limits: limits.map(({ rule, amount }) => ({ rule, amount: plainAmount(amount) })),
            note,
            setAtMs: clock.wallMs(),
            setBy: context.get("caller")?.name ?? "",
          };
          await quotaStore.putOverride(override);
          quota.userChanged(username);
          return context.json(overrideJson(override));
        },
      },
      DELETE: {
        role: "operator",
        answer: async (context) => {
          const username = usernameOf(context);
          if (!(await quotaStore.removeOverride(username))) throw noOverride(context);
          quota.userChanged(username);
          return context.body(null, 204);
        },
      },
    },
  };
}

/** 253 octets, as "0x…" where they are no text. */
const USERNAME_CHARACTERS_MAX = 512;

/** @throws {HubError} ERR_INPUT: bad-input */
function usernameOf(context: ApiContext): string {
  const username = context.req.param("username") ?? "";
  if (username.length <= USERNAME_CHARACTERS_MAX && !username.includes("\u0000")) return username;
  throw refusal("bad-input", "username: longer than a User-Name can be, or with a NUL character");
}

/** An amount of a rule that does not exist would be kept and never hold.
 *  @throws {HubError} ERR_INPUT: bad-input */
function refuseUnknownRules(limits: readonly { readonly rule: string }[], known: readonly string[]): void {
  const rules = limits.map(({ rule }) => rule);
  refuseIfAny(
    rules.flatMap((rule, index) => {
      const field = `limits.${index}.rule`;
      if (rules.indexOf(rule) < index) return [{ field, detail: "given twice" }];
      if (known.includes(rule)) return [];
      const meant = closest(rule, known);
      return [{ field, detail: `no rule of hub.yaml${meant === undefined ? "" : `, did you mean ${meant}?`}` }];
    }),
  );
}

function writtenAmount(text: string, context: z.RefinementCtx): WrittenAmount {
  const amount = parseAmount(text);
  if (amount !== undefined) return amount;
  context.addIssue({ code: "custom", message: AMOUNT_ERROR });
  return z.NEVER;
}

type AmountInput = z.output<typeof amountField>;

function plainAmount(amount: AmountInput): number | undefined {
  return typeof amount === "object" ? amount?.value : amount;
}

/** Octets of time, or a time of octets, is a mistake. A number alone is whatever the rule counts.
 *  @throws {HubError} ERR_INPUT: bad-input */
function refuseOtherAmounts(
  limits: readonly { readonly rule: string; readonly amount: AmountInput }[],
  countsOf: NonNullable<HttpDeps["quota"]>["countsOf"],
): void {
  refuseIfAny(
    limits.flatMap(({ rule, amount }, index) => {
      const counts = countsOf(rule);
      if (typeof amount !== "object" || amount === null || counts === undefined) return [];
      if (amountsOf(counts) === amount.of) return [];
      const detail = `must be ${amount.of === "time" ? "octets" : "a time"}: rule ${rule} counts ${counts}`;
      return [{ field: `limits.${index}.amount`, detail }];
    }),
  );
}

function noOverride(context: ApiContext): Error {
  return refusal("not-found", "the user has no amounts of its own; those of hub.yaml hold", {
    username: context.req.param("username"),
  });
}

function periodJson({ periodKey, uploadOctets, downloadOctets, seconds }: PeriodUsage) {
  return { period: periodKey, upload_octets: uploadOctets, download_octets: downloadOctets, seconds };
}

function standingJson({ rule, used, amount, percent, periodKey, periodEndsAtMs }: Standing) {
  return {
    rule: rule.name,
    counts: rule.counts,
    used,
    amount: amount ?? null,
    // Of an amount of nothing there is no percentage.
    percent: Number.isFinite(percent) ? percent : null,
    period: periodKey,
    period_ends_at: periodEndsAtMs === NEVER_MS ? null : new Date(periodEndsAtMs).toISOString(),
  };
}

function overrideJson({ username, limits, note, setAtMs, setBy }: QuotaOverride) {
  return {
    username,
    limits: limits.map(({ rule, amount }) => ({ rule, amount: amount ?? null })),
    note: note ?? null,
    set_at: new Date(setAtMs).toISOString(),
    set_by: setBy,
  };
}
