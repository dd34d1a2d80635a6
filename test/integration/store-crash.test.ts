import { join } from "node:path";
import fc from "fast-check";
import { describe, it, onTestFinished } from "vitest";
import { histories } from "../support/accounting-history.ts";
import { killDuring } from "../support/history-killer.ts";
import { MongoServer, NO_MONGO_SERVER } from "../support/mongo-server.ts";
import { killStore } from "../support/store-killer.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROUNDS = 30;
const HISTORIES = 6;
const SEED = Math.floor(Math.random() * 2 ** 31);

describe("a store whose process is killed", () => {
  it("UL-10 sqlite: 30 times kill -9 under load lose nothing that was acknowledged and count nothing twice", async () => {
    const module = new URL("../support/open-sqlite-store.ts", import.meta.url).href;
    await killStore(module, join(await temporaryFolder(), "hub.db"), { rounds: ROUNDS, acctSessions: 120, batch: 12 });
  }, 180_000);

  it("invariant 7 sqlite: copies, losses, overtaking and reboots, with kill -9 in the middle of batches, give what the oracle says", async () => {
    const module = new URL("../support/open-sqlite-store.ts", import.meta.url).href;
    const folder = await temporaryFolder();
    for (const [index, history] of fc.sample(histories, { numRuns: HISTORIES, seed: SEED }).entries()) {
      await killDuring(module, join(folder, `${index}.db`), history, { batch: 12, killEvery: 2, seed: SEED });
    }
  }, 180_000);

  it("invariant 7 mongodb: copies, losses, overtaking and reboots, with kill -9 in the middle of batches, give what the oracle says", async (context) => {
    if (!MongoServer.available) return context.skip(NO_MONGO_SERVER);
    const server = await MongoServer.start();
    onTestFinished(() => server.stop());
    const module = new URL("../support/open-mongo-store.ts", import.meta.url).href;
    for (const history of fc.sample(histories, { numRuns: HISTORIES, seed: SEED })) {
      await killDuring(module, server.freshUri(), history, { batch: 12, killEvery: 2, seed: SEED });
    }
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
