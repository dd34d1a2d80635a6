import { onTestFinished } from "vitest";
import type { Store } from "../../src/store/types.ts";
import type { StorePlace } from "./store-contract.ts";

/** A store on a fresh place, stopped when the test is over. */
export async function freshStore(place: () => Promise<StorePlace>): Promise<Store> {
  return opened(await place());
}

/** A further store on a place, stopped when the test is over. */
export async function opened(place: StorePlace): Promise<Store> {
  const store = await place.open();
  onTestFinished(() => store.stop());
  return store;
}

/** Every item of a list that comes in pages. */
export async function allPages<Item>(
  ask: (after: string | undefined) => Promise<{ readonly items: readonly Item[]; readonly next: string | undefined }>,
): Promise<Item[]> {
  const items: Item[] = [];
  let after: string | undefined;
  do {
    const page = await ask(after);
    items.push(...page.items);
    after = page.next;
  } while (after !== undefined);
  return items;
}

/** Names that would mean something to a query language, a shell or a path, or that are not plain ASCII. */
export const ODD_NAMES: readonly string[] = [
  "' OR '1'='1",
  '"; DROP TABLE acct_session; --',
  '{"$ne":null}',
  "$where",
  "$gt",
  "a.b.c",
  ".",
  "$",
  "%",
  "_",
  "*",
  "../../etc/passwd",
  "a/b#1|c%2f",
  "DOMAIN\\user",
  "jürgen@example.org",
  "jürgen@example.org".normalize("NFD"),
  "日本語",
  "👩‍👩‍👧",
  "0xff00fe",
  "true",
  "null",
  "__proto__",
  "constructor",
  " leading and trailing ",
  "UPPER",
  "upper",
  "a\u0000b",
];
