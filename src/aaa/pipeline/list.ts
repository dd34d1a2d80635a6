import type { Random } from "../../clock.ts";
import type { Actions } from "./actions.ts";
import type { Pass } from "./pass.ts";
import type { ReturnCode } from "./types.ts";

/** A compiled item of a section: one call, or a group of items. */
export type Item = CallItem | GroupItem;

export interface CallItem {
  readonly kind: "call";
  readonly actions: Actions;
  run(pass: Pass): ReturnCode | Promise<ReturnCode>;
}

export interface GroupItem {
  readonly kind: "group" | "redundant" | "load-balance" | "redundant-load-balance";
  readonly actions: Actions;
  readonly items: readonly Item[];
}

/** Where a list stands. */
interface Progress {
  readonly items: readonly Item[];
  /** The first item to run; the list goes once round. */
  readonly from: number;
  at: number;
  result: ReturnCode;
  priority: number;
}

/** Runs items in order and returns the code of the list: at once where every module answers at once, for a promise per packet is
 *  what a fast answer can not afford.
 *  @param empty the code when no item gives one */
export function runList(
  items: readonly Item[],
  pass: Pass,
  empty: ReturnCode,
  random: Random,
  from = 0,
): ReturnCode | Promise<ReturnCode> {
  return proceed({ items, from, at: 0, result: empty, priority: 0 }, pass, random);
}

function proceed(progress: Progress, pass: Pass, random: Random): ReturnCode | Promise<ReturnCode> {
  const { items, from } = progress;
  while (progress.at < items.length) {
    const item = items[(from + progress.at) % items.length] as Item;
    const code = runItem(item, pass, progress.result, random);
    if (typeof code !== "string") return proceedLater(progress, item, code, pass, random);
    if (isEnd(progress, item, code)) return progress.result;
  }
  return progress.result;
}

async function proceedLater(
  progress: Progress,
  item: Item,
  pending: Promise<ReturnCode>,
  pass: Pass,
  random: Random,
): Promise<ReturnCode> {
  if (isEnd(progress, item, await pending)) return progress.result;
  return proceed(progress, pass, random);
}

/** Takes the code of an item into the list. @returns whether the list ends with it */
function isEnd(progress: Progress, item: Item, code: ReturnCode): boolean {
  progress.at += 1;
  const action = item.actions[code];
  if (typeof action === "string") {
    progress.result = action === "reject" ? "reject" : code;
    return true;
  }
  // Of two codes with the same priority the first stays, as in FreeRADIUS.
  if (action > progress.priority) {
    progress.priority = action;
    progress.result = code;
  }
  return false;
}

function runItem(item: Item, pass: Pass, before: ReturnCode, random: Random): ReturnCode | Promise<ReturnCode> {
  if (item.kind === "call") return item.run(pass);
  const { kind, items } = item;
  if (kind === "group" || kind === "redundant") return runList(items, pass, before, random);
  const from = Math.floor(random.fraction() * items.length);
  if (kind === "redundant-load-balance") return runList(items, pass, before, random, from);
  // A list of one, so that an override of the item counts.
  return runList([items[from] as Item], pass, before, random);
}
