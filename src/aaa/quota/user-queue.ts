import type { AcctSession } from "../../store/acct-session.ts";

/** Why a user is looked at. */
export interface Occasion {
  readonly username: string;
  /** Acct sessions that records came of, by key; as the latest record left them. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** Actions of the user that have come due. */
  readonly due: ReadonlySet<string>;
  /** What the store knows of the user has changed. */
  readonly changed: boolean;
}

export interface Heard {
  readonly acctSession: AcctSession;
  readonly linkId: string;
}

interface Waiting extends Occasion {
  readonly heard: Map<string, Heard>;
  readonly due: Set<string>;
  changed: boolean;
}

/** Users that wait to be looked at; one more is dropped, and looked at with the next record. */
const USERS_WAITING_MAX = 20_000;
/** Of one user; a further one is of no further use, for all open acct sessions are looked at where it matters. */
const HEARD_MAX = 64;
/** Users looked at at once: what the store answers in one go. */
const AT_ONCE_MAX = 256;

/** Users in the order of their records, each once however many records wait, and never one twice at the same time. */
export class UserQueue {
  readonly #evaluate: (occasion: Occasion) => Promise<void>;
  readonly #waiting = new Map<string, Waiting>();
  readonly #running = new Set<string>();
  #stopped = false;
  #idle: (() => void) | undefined;

  /** @param evaluate must not reject */
  constructor(evaluate: (occasion: Occasion) => Promise<void>) {
    this.#evaluate = evaluate;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  get running(): number {
    return this.#running.size;
  }

  /** @returns false when it was dropped */
  add(username: string, why: { heard?: Heard; due?: string; changed?: true }): boolean {
    if (this.#stopped) return false;
    let entry = this.#waiting.get(username);
    if (entry === undefined) {
      if (this.#waiting.size >= USERS_WAITING_MAX) return false;
      entry = { username, heard: new Map(), due: new Set(), changed: false };
      this.#waiting.set(username, entry);
    }
    if (why.heard !== undefined && entry.heard.size < HEARD_MAX) entry.heard.set(why.heard.acctSession.key, why.heard);
    if (why.due !== undefined) entry.due.add(why.due);
    if (why.changed === true) entry.changed = true;
    this.#next();
    return true;
  }

  /** Takes nothing more, forgets what waits, and resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    if (this.#running.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
    });
  }

  #next(): void {
    for (const [username, entry] of this.#waiting) {
      if (this.#running.size >= AT_ONCE_MAX) return;
      if (this.#running.has(username)) continue;
      this.#waiting.delete(username);
      this.#running.add(username);
      void this.#run(entry);
    }
  }

  async #run(entry: Waiting): Promise<void> {
    await this.#evaluate(entry);
    this.#running.delete(entry.username);
    this.#next();
    if (this.#running.size === 0) this.#idle?.();
  }
}
