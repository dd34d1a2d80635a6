/** A process with a store in it, for tests that kill it: forked with the module that opens the store and what to pass to it. */
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import type { Store } from "../../src/store/types.ts";

/** To the process. It opens its store when it is told so, that it may be started ahead. */
export type StoreOrder =
  | { readonly type: "open" }
  | { readonly type: "record"; readonly number: number; readonly batch: readonly AccountingRecord[] }
  | { readonly type: "state"; readonly usernames: readonly string[] };

/** From the process. "recorded" is sent once record() has resolved: the batch is durable. */
export type StoreNews =
  | { readonly type: "opened" }
  | { readonly type: "recorded"; readonly number: number }
  | {
      readonly type: "state";
      readonly uploads: Readonly<Record<string, number>>;
      readonly totals: readonly number[];
      readonly downloads: readonly number[];
    }
  | { readonly type: "failed"; readonly message: string };

const [, , module = "", place = ""] = process.argv;
const { openStore } = (await import(module)) as { openStore: (place: string) => Promise<Store> };
let store: Store | undefined;

function tell(news: StoreNews): void {
  process.send?.(news);
}

async function obey(order: StoreOrder): Promise<void> {
  if (order.type === "open") {
    store = await openStore(place);
    return tell({ type: "opened" });
  }
  if (store === undefined) throw new Error("not open");
  if (order.type === "record") {
    await store.acctSessions.record(order.batch);
    return tell({ type: "recorded", number: order.number });
  }
  const uploads: Record<string, number> = {};
  let after: string | undefined;
  do {
    const page = await store.acctSessions.find({}, { limit: 500, after });
    for (const { key, uploadOctets } of page.items) uploads[key] = uploadOctets;
    after = page.next;
  } while (after !== undefined);
  const totals = await store.usage.totals(order.usernames.map((username) => ({ username, periodKeys: ["total"] })));
  const downloads = totals.map(({ downloadOctets }) => downloadOctets);
  return tell({ type: "state", uploads, totals: totals.map(({ uploadOctets }) => uploadOctets), downloads });
}

process.on("message", (order: StoreOrder) => {
  obey(order).catch((error: unknown) => tell({ type: "failed", message: String(error) }));
});
