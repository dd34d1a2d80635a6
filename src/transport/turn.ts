import { undisturbed } from "./undisturbed.ts";

/** The two halves of a turn of the event loop: what has arrived is worked on together, and what leaves is written together.
 *
 *  Taken one by one, each packet would meet code that the reading, the signing and the sending of others have pushed out of the
 *  processor's cache: that made an exchange over UDP a tenth dearer. A process has one event loop, so all its hubs share the halves. */
let arrived: Waiting[] = [];
let leaving: Waiting[] = [];
let begun = false;

/** Something that waits for its half of the turn. */
export interface Waiting {
  flush(): void;
}

/** Beyond it all are worked on at once, so that many who send in one turn fill no memory. */
const ARRIVED_MAX = 64;

/** Has it flushed in the first half of this turn. */
export function whenArrived(waiting: Waiting): void {
  if (arrived.push(waiting) >= ARRIVED_MAX) workOnArrived();
  begin();
}

/** Has it flushed in the second half of this turn: after the first one, and whatever that has settled. */
export function whenLeaving(waiting: Waiting): void {
  leaving.push(waiting);
  begin();
}

function begin(): void {
  if (begun) return;
  begun = true;
  setImmediate(workOnArrived);
  // Between two immediates, Node runs what waits for a promise.
  setImmediate(writeLeaving);
}

function workOnArrived(): void {
  const waiting = arrived;
  arrived = [];
  for (const each of waiting) undisturbed(() => each.flush());
}

function writeLeaving(): void {
  begun = false;
  const waiting = leaving;
  leaving = [];
  for (const each of waiting) undisturbed(() => each.flush());
  if (arrived.length > 0) begin(); // it came after its half
}

/** At the bound they are not kept for the turn any longer. */
const ITEMS_MAX = 64;

/** Items of one link or socket that are taken together, in the order of their coming and each once. One that throws keeps no other
 *  back. */
export class TurnBatch<Item> implements Waiting {
  readonly #half: (waiting: Waiting) => void;
  readonly #take: (item: Item) => void;
  #items: Item[] = [];

  /** @param half whenArrived or whenLeaving */
  constructor(half: (waiting: Waiting) => void, take: (item: Item) => void) {
    this.#half = half;
    this.#take = take;
  }

  add(item: Item): void {
    const count = this.#items.push(item);
    if (count === 1) this.#half(this);
    else if (count >= ITEMS_MAX) this.flush();
  }

  /** Takes what there is now. */
  flush(): void {
    const items = this.#items;
    if (items.length === 0) return;
    this.#items = [];
    for (const item of items) undisturbed(() => this.#take(item));
  }
}
