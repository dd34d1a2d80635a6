import { join } from "node:path";
import { describe, it } from "vitest";
import { killStore } from "../support/store-killer.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROUNDS = 30;

describe("a store whose process is killed", () => {
  it("UL-10 sqlite: 30 times kill -9 under load lose nothing that was acknowledged and count nothing twice", async () => {
    const module = new URL("../support/open-sqlite-store.ts", import.meta.url).href;
    await killStore(module, join(await temporaryFolder(), "hub.db"), ROUNDS);
  }, 180_000);
});
