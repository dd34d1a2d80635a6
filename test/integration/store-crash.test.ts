import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { MongoServer, NO_MONGO_SERVER } from "../support/mongo-server.ts";
import { killStore } from "../support/store-killer.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROUNDS = 30;

describe("a store whose process is killed", () => {
  it("UL-10 sqlite: 30 times kill -9 under load lose nothing that was acknowledged and count nothing twice", async () => {
    const module = new URL("../support/open-sqlite-store.ts", import.meta.url).href;
    await killStore(module, join(await temporaryFolder(), "hub.db"), { rounds: ROUNDS, acctSessions: 120, batch: 12 });
  }, 180_000);

  it("UL-10 mongodb: 30 times kill -9 under load lose nothing that was acknowledged and count nothing twice", async (context) => {
    if (!MongoServer.available) return context.skip(NO_MONGO_SERVER);
    const server = await MongoServer.start();
    onTestFinished(() => server.stop());
    const module = new URL("../support/open-mongo-store.ts", import.meta.url).href;
    // FerretDB reads the whole collection for each write that asks for more than an _id.
    await killStore(module, server.freshUri(), { rounds: ROUNDS, acctSessions: 24, batch: 4 });
  }, 240_000);
});
