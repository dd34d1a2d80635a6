import { randomBytes, randomInt } from "node:crypto";

/** Time as the hub sees it. Tests pass a clock they advance by hand; nothing in src/ reads time in another way. */
export interface Clock {
  /** Milliseconds of a monotonic clock with an arbitrary origin: deadlines and durations. */
  now(): number;
  /** Milliseconds since 1970-01-01 UTC: Event-Timestamp, certificates, logs. */
  wallMs(): number;
  /** Calls `action` once after `delayMs`; the returned function cancels it. The timer keeps no process alive. */
  after(delayMs: number, action: () => void): () => void;
}

/** Unpredictable numbers; tests pass a seeded source. */
export interface Random {
  bytes(count: number): Buffer;
  /** A number in [0, 1). */
  fraction(): number;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wallMs: () => Date.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  fraction: () => randomInt(0x1_0000_0000) / 0x1_0000_0000,
};

/** Resolves when `work` has, or after `graceMs`; rejects as `work` does. */
export async function withinGrace(work: Promise<unknown>, graceMs: number, clock: Clock): Promise<void> {
  let cancel = () => undefined as void;
  const grace = new Promise<void>((resolve) => {
    cancel = clock.after(graceMs, resolve);
  });
  await Promise.race([work, grace]);
  cancel();
}
