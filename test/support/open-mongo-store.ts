import { systemClock, systemRandom } from "../../src/clock.ts";
import { MongoStore } from "../../src/store/mongo/mongo-store.ts";
import type { Store } from "../../src/store/types.ts";

/** For store-process.ts. */
export async function openStore(uri: string): Promise<Store> {
  const store = new MongoStore({ clock: systemClock, random: systemRandom }, { uri });
  store.start();
  await store.ready(30_000);
  return store;
}
