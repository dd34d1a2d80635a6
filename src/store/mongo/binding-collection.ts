import type { AnyBulkWriteOperation } from "mongodb";
import type { KeptBinding } from "../../registry/types.ts";
import type { BindingRemoval, BindingStore } from "../binding-types.ts";
import { assertPage } from "../limits.ts";
import { pageOf } from "../page-of.ts";
import type { Page, PageRequest } from "../types.ts";
import type { Calls } from "./connection.ts";
import type { BindingDocument } from "./documents.ts";
import { pageDocuments } from "./user-collections.ts";

/** Bindings of one command: see COMMAND_WRITES_MAX of conditional-writes.ts. */
const COMMAND_BINDINGS_MAX = 64;

/** BindingStore on the collection `bindings`. */
export class BindingCollection implements BindingStore {
  readonly #calls: Calls;

  constructor(calls: Calls) {
    this.#calls = calls;
  }

  put(bindings: readonly KeptBinding[]): Promise<void> {
    const operations = bindings.map((binding) => {
      const document = { ...binding, _id: keyOf(binding) };
      return { replaceOne: { filter: { _id: { $eq: document._id } }, replacement: document, upsert: true } };
    });
    return this.#write(operations);
  }

  remove(bindings: readonly BindingRemoval[]): Promise<void> {
    const operations = bindings.map((binding) => {
      const { seenUntilMs } = binding;
      const unseen = seenUntilMs === undefined ? {} : { seenAtMs: { $lte: seenUntilMs } };
      return { deleteOne: { filter: { _id: { $eq: keyOf(binding) }, ...unseen } } };
    });
    return this.#write(operations);
  }

  async list(page: PageRequest): Promise<Page<KeptBinding>> {
    assertPage(page);
    return this.#calls.read(async ({ bindings }) => {
      const found = await pageDocuments(bindings, page);
      return pageOf(found.map(bindingOf), page.limit, keyOf);
    });
  }

  #write(operations: AnyBulkWriteOperation<BindingDocument>[]): Promise<void> {
    return this.#calls.writes(async ({ bindings }) => {
      for (let first = 0; first < operations.length; first += COMMAND_BINDINGS_MAX) {
        await bindings.bulkWrite(operations.slice(first, first + COMMAND_BINDINGS_MAX), { ordered: false });
      }
    });
  }
}

/** Different names and peers never run into each other. */
function keyOf({ nasIdentifier, peerKey }: Pick<KeptBinding, "nasIdentifier" | "peerKey">): string {
  return JSON.stringify([nasIdentifier, peerKey]);
}

function bindingOf({ _id, ...binding }: BindingDocument): KeptBinding {
  return binding;
}
