import { afterAll, beforeAll, beforeEach } from "vitest";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { MongoStore } from "../../src/store/mongo/mongo-store.ts";
import { MongoServer, NO_MONGO_SERVER } from "../support/mongo-server.ts";
import { storeContract } from "./store-contract.ts";

const OUTBOX_MAX = 8;
let server: MongoServer | undefined;

beforeAll(async () => {
  if (MongoServer.available) server = await MongoServer.start();
});
afterAll(() => server?.stop());
beforeEach((context) => {
  if (server === undefined) context.skip(NO_MONGO_SERVER);
});

storeContract(
  "mongodb",
  async () => {
    const uri = (server as MongoServer).freshUri();
    return {
      outboxMax: OUTBOX_MAX,
      open: async () => {
        const store = new MongoStore({ clock: systemClock, random: systemRandom }, { uri, outboxMax: OUTBOX_MAX });
        store.start();
        await store.ready(10_000);
        return store;
      },
    };
  },
  { histories: 5 },
);
