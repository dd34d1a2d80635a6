import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { onTestFinished } from "vitest";

/** What costs time when a password is looked at. */
const COUNTED = ["argon2", "scrypt", "createCipheriv", "createHash", "hash", "timingSafeEqual"] as const;
type Counted = (typeof COUNTED)[number];
export type CryptoWork = Readonly<Record<Counted, number>>;

const none = () => ({ argon2: 0, scrypt: 0, createCipheriv: 0, createHash: 0, hash: 0, timingSafeEqual: 0 });

/** Counts what node:crypto does for this process until the test is over: how much work an answer was, whatever the machine does
 *  beside it. */
export function countCryptoWork(): { readonly take: () => CryptoWork } {
  let counts: Record<Counted, number> = none();
  const functions = crypto as unknown as Record<Counted, (...values: unknown[]) => unknown>;
  for (const name of COUNTED) {
    const original = functions[name];
    functions[name] = (...values) => {
      counts[name] += 1;
      return original(...values);
    };
    onTestFinished(() => {
      functions[name] = original;
      syncBuiltinESMExports();
    });
  }
  syncBuiltinESMExports();
  const take = () => {
    const taken = counts;
    counts = none();
    return taken;
  };
  return { take };
}
