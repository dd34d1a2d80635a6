/** NASes that are watched; of one more the oldest is forgotten, and its acct sessions fall stale as any other's. */
const NASES_MAX = 100_000;

interface Watched {
  readonly nasKey: string;
  readonly peerKey: string;
  /** Wall clock since when its peer has had no link; undefined while it has one. */
  absentSinceMs: number | undefined;
}

/** Which NASes have had no link for how long, by the peers that their records came from. */
export class AbsentNases {
  readonly #isPresent: (peerKey: string) => boolean;
  readonly #watched = new Map<string, Watched>();

  /** @param isPresent whether a peer has a link now, on any node */
  constructor(isPresent: (peerKey: string) => boolean) {
    this.#isPresent = isPresent;
  }

  get size(): number {
    return this.#watched.size;
  }

  /** A record of the NAS came. */
  heard(nasKey: string, peerKey: string): void {
    const known = this.#watched.get(nasKey);
    if (known?.peerKey === peerKey) {
      known.absentSinceMs = undefined;
      return;
    }
    this.#watched.delete(nasKey);
    const [oldest] = this.#watched.size >= NASES_MAX ? this.#watched.keys() : [];
    if (oldest !== undefined) this.#watched.delete(oldest);
    this.#watched.set(nasKey, { nasKey, peerKey, absentSinceMs: undefined });
  }

  /** Looks at `count` NASes, the ones not looked at for longest. @returns those that have been gone for `goneMs`, no longer watched */
  look(nowMs: number, goneMs: number, count: number): readonly { readonly nasKey: string; readonly sinceMs: number }[] {
    const gone: { nasKey: string; sinceMs: number }[] = [];
    let left = Math.min(count, this.#watched.size);
    for (const watched of this.#watched.values()) {
      if (left === 0) break;
      left -= 1;
      this.#watched.delete(watched.nasKey);
      if (this.#isPresent(watched.peerKey)) watched.absentSinceMs = undefined;
      else watched.absentSinceMs ??= nowMs;
      if (watched.absentSinceMs !== undefined && nowMs - watched.absentSinceMs >= goneMs) {
        gone.push({ nasKey: watched.nasKey, sinceMs: watched.absentSinceMs });
      } else this.#watched.set(watched.nasKey, watched);
    }
    return gone;
  }
}
