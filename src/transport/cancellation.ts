/** What tells whoever works for somebody that nobody waits any more. An AbortSignal is one too: this is what the hub itself uses
 *  of it, because an AbortController for each request costs as much as signing one. */
export interface Cancellation {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void, options?: { readonly once: true }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Something that can be cancelled, once; a listener that comes later is never called, as with an AbortSignal. */
export class Cancellable implements Cancellation {
  #aborted = false;
  // Nearly always one at the most, and of most requests none.
  #listeners: (() => void)[] | undefined;

  get aborted(): boolean {
    return this.#aborted;
  }

  addEventListener(_type: "abort", listener: () => void): void {
    if (!this.#aborted) (this.#listeners ??= []).push(listener);
  }

  removeEventListener(_type: "abort", listener: () => void): void {
    const index = this.#listeners?.indexOf(listener) ?? -1;
    if (index >= 0) this.#listeners?.splice(index, 1);
  }

  cancel(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    // One by one: a listener may take another one away.
    for (let next = this.#listeners?.shift(); next !== undefined; next = this.#listeners?.shift()) next();
  }
}
