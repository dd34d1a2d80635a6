import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type StorePlace, storeContract } from "./store-contract.ts";

const OUTBOX_MAX = 8;

async function place(): Promise<StorePlace> {
  const file = join(await temporaryFolder(), "hub.db");
  return {
    outboxMax: OUTBOX_MAX,
    open: async () => {
      const store = new SqliteStore({ clock: systemClock }, { file, synchronous: "normal", outboxMax: OUTBOX_MAX });
      store.start();
      await store.ready(10_000);
      return store;
    },
  };
}

storeContract("sqlite", place, { histories: 15 });
