import type { z } from "zod";
import { INTERIM_SECONDS_ADVISED, INTERIM_SECONDS_MIN, type UsersOptions } from "../../aaa/users/options.ts";
import type { Report } from "../problem.ts";
import { section } from "../section.ts";
import { choice, count, duration } from "../values.ts";

const INTERIM_DEFAULT = "2m";

export const usersSection = section({
  memory: duration("How long a user or plan is believed that another node may have changed.", {
    min: "0s",
    max: "1h",
  }).prefault("30s"),
  interim: duration("Acct-Interim-Interval where the plan has none.", {
    min: `${INTERIM_SECONDS_MIN}s`,
    max: "24h",
  }).prefault(INTERIM_DEFAULT),
  passwords: section({
    hash: choice("How new passwords are hashed.", ["argon2id", "scrypt"]).default("argon2id"),
    atOnce: count("Passwords that are hashed at once, each by a thread.", 1, 64).default(2),
    waiting: count("Logins that may wait for it; one more is not answered.", 1, 100_000).default(4_096),
    answerWithin: duration("How long a login waits for its hash; then it is not answered.", {
      min: "100ms",
      max: "30s",
    }).prefault("4s"),
  })
    .prefault({})
    .meta({ description: "Slow hashes of passwords." }),
  guesses: section({
    window: duration("Time in which that many wrong passwords are forgiven.", { min: "10s", max: "24h" }).prefault(
      "5m",
    ),
    user: count("Wrong passwords for one User-Name; 0 is no limit.", 0, 1_000_000).default(10),
    mac: count("Wrong passwords from one Calling-Station-Id; 0 is no limit.", 0, 1_000_000).default(20),
    source: count("Wrong passwords from one router; 0 is no limit.", 0, 1_000_000).default(1_000),
  })
    .prefault({})
    .meta({ description: "Limits against guessing." }),
  changes: section({
    perSecond: count("Changed users whose routers are told in a second at the most.", 1, 10_000).default(200),
  })
    .prefault({})
    .meta({ description: "What open acct sessions are told when users or plans change." }),
});

type UsersValues = z.output<typeof usersSection>;

export function usersOptions({ memory, interim, passwords, guesses, changes }: UsersValues): UsersOptions {
  const { hash, atOnce, waiting, answerWithin } = passwords;
  const { window, user, mac, source } = guesses;
  return {
    memoryMs: memory,
    interimSeconds: Math.round(interim / 1_000),
    passwords: { algorithm: hash, atOnce, waitingMax: waiting, answerWithinMs: answerWithin },
    guesses: { windowMs: window, userMax: user, macMax: mac, sourceMax: source },
    updates: { perSecond: changes.perSecond },
  };
}

/** RFC 2869 Section 5.16: should not be below 600 seconds. The default is what hotspots are used to, and is not complained about. */
export function reportUsersWarnings({ interim }: UsersValues, report: Report): void {
  if (interim === 120_000 || interim >= INTERIM_SECONDS_ADVISED * 1_000) return;
  report(
    ["users", "interim"],
    `is below the ${INTERIM_SECONDS_ADVISED} s that RFC 2869 advises: every user costs a record each time`,
  );
}
