import { describe, expect, it } from "vitest";
import { z } from "zod";
import { planFields, valueWarnings } from "../../../src/http/account-fields.ts";
import { load } from "../config/load.ts";

const plan = z.strictObject(planFields);

describe("UL-13 Acct-Interim-Interval of an Access-Accept (RFC 2869 Section 5.16)", () => {
  it.each([
    [59, false],
    [60, true],
  ])("%i seconds: %s, as default of the hub and as value of a plan or user", (seconds, allowed) => {
    expect(load(`users: { interim: ${seconds}s }`).ok).toBe(allowed);
    expect(plan.safeParse({ interim_interval: seconds }).success).toBe(allowed);
  });

  it.each([
    [599, 1],
    [600, 0],
  ])("%i seconds: %i warning", (interimSeconds, warnings) => {
    const loaded = load(`users: { interim: ${interimSeconds}s }`);
    expect(loaded.ok && loaded.warnings.filter(({ key }) => key === "users.interim")).toHaveLength(warnings);
    expect(valueWarnings({ interimSeconds })).toHaveLength(warnings);
  });
});
