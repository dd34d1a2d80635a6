import type { KeptBinding } from "../registry/types.ts";
import type { Page, PageRequest } from "./types.ts";

/** Which peer each NAS-Identifier belongs to (invariant 1), one row for each holder of a name. The registry works from memory;
 *  this is what a restarted hub begins with. */
export interface BindingStore {
  /** Inserts or replaces each, found by name and peer. */
  put(bindings: readonly KeptBinding[]): Promise<void>;
  /** Forgets each. */
  remove(bindings: readonly BindingRemoval[]): Promise<void>;
  /** In an order that never changes. */
  list(page: PageRequest): Promise<Page<KeptBinding>>;
}

export interface BindingRemoval {
  /** Exact octets as latin1 text. */
  readonly nasIdentifier: string;
  readonly peerKey: string;
  /** A binding whose peer has had a link later stays: another hub has seen it. Undefined removes whatever is there. */
  readonly seenUntilMs: number | undefined;
}
