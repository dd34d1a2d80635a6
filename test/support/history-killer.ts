import { expect } from "vitest";
import type { History } from "./accounting-history.ts";
import { StoreProcess } from "./store-killer.ts";

export interface HistoryKillOptions {
  /** Records of one record() call. */
  readonly batch: number;
  /** Batches from one kill to the next. */
  readonly killEvery: number;
  /** Of the histories, to be shown when one fails. */
  readonly seed: number;
}

/** Tells a history to a store in another process that is killed in the middle of batches: nobody knows whether such a batch was
 *  stored, and the routers send it again. In the end each user has what the events say.
 *  @param module exports openStore(place: string) */
export async function killDuring(
  module: string,
  place: string,
  { records, expected }: History,
  { batch, killEvery, seed }: HistoryKillOptions,
): Promise<void> {
  let store = await opened(module, place);
  for (let first = 0, turn = 1; first < records.length; first += batch, turn += 1) {
    const next = records.slice(first, first + batch);
    const telling = store.record(next);
    if (turn % killEvery === 0) {
      telling.catch(() => undefined); // nobody answers it any more
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 20));
      await store.kill();
      store = await opened(module, place);
      await store.record(next);
    } else await telling;
  }
  const usernames = [...expected.keys()];
  const { totals, downloads } = await store.state(usernames);
  const stored = usernames.map((username, index) => [username, totals[index], downloads[index]]);
  expect(stored, `seed ${seed}`).toEqual(
    [...expected].map(([username, [upload, download]]) => [username, upload, download]),
  );
  await store.kill();
}

async function opened(module: string, place: string): Promise<StoreProcess> {
  const store = new StoreProcess(module, place);
  await store.open();
  return store;
}
