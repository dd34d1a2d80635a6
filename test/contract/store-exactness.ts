import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Store } from "../../src/store/types.ts";
import { type History, histories } from "../support/accounting-history.ts";
import type { StorePlace } from "./store-contract.ts";

/** How a store is treated while it is told a history. */
interface Treatment {
  /** Records of one record() call. */
  readonly batch: number;
  /** Batches after which the store is stopped, opened anew, and told its last batch again: nobody knows whether it was acknowledged. */
  readonly crashEvery: number;
  /** Nodes that take turns. */
  readonly nodes: number;
}

const treatments: fc.Arbitrary<Treatment> = fc.record({
  batch: fc.integer({ min: 4, max: 40 }),
  crashEvery: fc.integer({ min: 2, max: 8 }),
  nodes: fc.integer({ min: 1, max: 2 }),
});

/** @param runs histories; each costs some openings of the store */
export function exactnessContract(place: () => Promise<StorePlace>, runs: number): void {
  describe("exactness (invariant 7)", () => {
    it("any history gives each user what the events say, over crashes and on two nodes", async () => {
      await fc.assert(
        fc.asyncProperty(histories, treatments, async (history, treatment) => {
          const where = await place();
          await tell(where, history, treatment);
          const store = await where.open();
          try {
            await expectUsage(store, history);
          } finally {
            await store.stop();
          }
        }),
        { numRuns: runs, interruptAfterTimeLimit: 60_000 },
      );
    }, 120_000);
  });
}

async function tell(where: StorePlace, { records }: History, { batch, crashEvery, nodes }: Treatment): Promise<void> {
  const stores = await Promise.all(Array.from({ length: nodes }, () => where.open()));
  onTestFinished(() => Promise.all(stores.map((store) => store.stop())).then(() => undefined));
  for (let first = 0, turn = 0; first < records.length; first += batch, turn += 1) {
    const node = turn % nodes;
    const next = records.slice(first, first + batch);
    await (stores[node] as Store).acctSessions.record(next);
    if (turn % crashEvery === crashEvery - 1) {
      await (stores[node] as Store).stop();
      stores[node] = await where.open();
      await stores[node].acctSessions.record(next);
    }
  }
  await Promise.all(stores.map((store) => store.stop()));
}

async function expectUsage(store: Store, { expected }: History): Promise<void> {
  const questions = [...expected.keys()].flatMap((username) => [
    { username, periodKeys: ["total"] },
    { username, periodKeys: ["day/2026-11-22", "day/2026-11-23", "day/2026-11-24"] },
  ]);
  const totals = await store.usage.totals(questions);
  for (const [index, [username, [uploadOctets, downloadOctets, seconds]]] of [...expected].entries()) {
    const amounts = { uploadOctets, downloadOctets, seconds };
    expect(totals[2 * index], username).toEqual(amounts);
    expect(totals[2 * index + 1], `${username}, day by day`).toEqual(amounts);
  }
}
