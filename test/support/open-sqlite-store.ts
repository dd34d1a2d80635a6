import { systemClock } from "../../src/clock.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { Store } from "../../src/store/types.ts";

/** For store-process.ts. @param file path of the database */
export async function openStore(file: string): Promise<Store> {
  const store = new SqliteStore({ clock: systemClock }, { file });
  store.start();
  await store.ready(30_000);
  return store;
}
