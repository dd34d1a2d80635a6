import { GuessCounter, type GuessOptions } from "../../src/aaa/users/guess-limits.ts";
import type { HashingOptions } from "../../src/aaa/users/password-hashing.ts";
import { Passwords } from "../../src/aaa/users/passwords.ts";
import { type Clock, systemClock, systemRandom } from "../../src/clock.ts";
import type { StoredPassword } from "../../src/store/user-types.ts";

const HASHING: HashingOptions = { algorithm: "argon2id", atOnce: 2, waitingMax: 8, answerWithinMs: 30_000 };
const NO_LIMITS: GuessOptions = { windowMs: 60_000, userMax: 0, macMax: 0, sourceMax: 0 };

/** What looks at passwords in a hub, alone. */
export function passwordsWith(
  hashing: Partial<HashingOptions> = {},
  { guesses, clock = systemClock }: { guesses?: GuessOptions; clock?: Clock } = {},
) {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => void faults.push(error);
  const counter = new GuessCounter(clock, guesses ?? NO_LIMITS);
  const foreign = () => undefined;
  const deps = { clock, random: systemRandom, pending: counter, foreign, onFault };
  return { faults, counter, passwords: new Passwords(deps, { ...HASHING, ...hashing }) };
}

/** A password as the store has it, with argon2id. */
export async function hashedPassword(password: string): Promise<StoredPassword> {
  const stored = await passwordsWith().passwords.stored(password);
  if (stored === undefined) throw new Error("no hash");
  return stored;
}
