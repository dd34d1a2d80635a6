import type { User } from "../../store/user-types.ts";
import type { UserStanding } from "./types.ts";

/** Whether a user may log in at `nowMs`, whatever the password. */
export function standingOf(
  { disabled, validFromMs, validUntilMs }: Pick<User, "disabled" | "validFromMs" | "validUntilMs">,
  nowMs: number,
): UserStanding {
  if (disabled) return "disabled";
  if (validUntilMs !== undefined && nowMs >= validUntilMs) return "expired";
  return validFromMs !== undefined && nowMs < validFromMs ? "not-yet-valid" : "valid";
}
