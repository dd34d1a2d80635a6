import type { Clock, Random } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import type { EventFeed } from "../../events.ts";
import type { Dictionary } from "../../radius/dictionary.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { Store } from "../../store/types.ts";
import type { User } from "../../store/user-types.ts";
import { PlanAttributes } from "../plans/plan-attributes.ts";
import { GuessCounter } from "./guess-limits.ts";
import type { UsersOptions } from "./options.ts";
import { Passwords, type PasswordsLoad } from "./passwords.ts";
import { updateSessions } from "./update-sessions.ts";
import { RememberedUsers } from "./user-directory.ts";
import { type UpdatesLoad, type UpdatesOptions, UserUpdates } from "./user-updates.ts";
import { UserWriter } from "./user-writer.ts";

export interface AccountsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly dictionary: Pick<Dictionary, "encode">;
  readonly store: Pick<Store, "users" | "plans" | "userChanges" | "acctSessions" | "quota" | "health">;
  readonly vendorOf: (acctSession: AcctSession) => string | undefined;
  readonly secondsLeft: (username: string) => Promise<number | undefined>;
  /** The router does not know this acct session; its record is closed. */
  readonly closed: (acctSession: AcctSession) => void;
  /** What the quota remembers of a user is old. */
  readonly quotaChanged: (username: string) => void;
  readonly onFault: (error: unknown) => void;
}

export interface AccountsLoad {
  readonly passwords: PasswordsLoad;
  readonly guessesRefused: Readonly<Record<"user" | "mac" | "source", number>>;
  readonly updates: UpdatesLoad;
}

/** Users and plans: who they are, whether a password fits, what they get, and that their routers learn of changes.
 *
 *  new --start()--> running --stop()--> stopped */
export class Accounts {
  readonly directory: RememberedUsers;
  readonly passwords: Passwords;
  readonly guesses: GuessCounter;
  readonly plans: PlanAttributes;
  readonly writer: UserWriter;
  readonly #updates: UserUpdates;
  readonly #events: EventFeed;
  #unsubscribe = (): void => undefined;

  constructor(deps: AccountsDeps, options: UsersOptions) {
    const { clock, random, store, quotaChanged, onFault } = deps;
    this.#events = deps.events;
    this.directory = new RememberedUsers(clock, store, options.memoryMs);
    this.guesses = new GuessCounter(clock, options.guesses);
    // Whoever writes the user meanwhile, or a store that is down, is right: the next login finds the old hash again.
    const foreign = (user: User, password: Buffer) => void this.#rehash(user, password).catch(() => undefined);
    this.passwords = new Passwords({ clock, random, pending: this.guesses, foreign, onFault }, options.passwords);
    this.plans = new PlanAttributes(deps.dictionary, options.interimSeconds);
    const sessions = { ...deps, directory: this.directory, attributes: this.plans, updated: quotaChanged };
    const update = (username: string, sinceMs: number | undefined) => {
      // Another node may have changed it: what is remembered here is not good enough to act on.
      this.#forget(username);
      return updateSessions(sessions, username, sinceMs);
    };
    this.#updates = new UserUpdates({ clock, random, store, update, onFault }, updatesOptions(options));
    this.writer = new UserWriter({
      clock,
      random,
      store,
      userChanged: (username) => {
        this.#forget(username);
        this.guesses.forgive(username);
      },
      quotaChanged,
      planChanged: (name) => this.directory.planChanged(name),
      noted: () => this.#updates.look(),
    });
  }

  get load(): AccountsLoad {
    const { passwords, guesses } = this;
    return { passwords: passwords.load, guessesRefused: guesses.refused, updates: this.#updates.load };
  }

  start(): void {
    this.#updates.start();
    this.#unsubscribe = this.#events.subscribe((event) => {
      if (event.type !== "quota.acted" || event.action !== "un-throttle" || event.next !== "done") return;
      // What takes a throttle back is one text in hub.yaml; the rate of this user is that of its plan. If the store can not note
      // it, the next change or login makes it up.
      void this.writer.touch(event.username).catch(() => undefined);
    });
  }

  /** Resolves when what has begun is written down; requests at a NAS end with Dynauth.stop(). */
  async stop(): Promise<void> {
    this.#unsubscribe();
    await this.#updates.stop();
  }

  apply(options: UsersOptions): void {
    this.directory.apply(options.memoryMs);
    this.passwords.apply(options.passwords);
    this.guesses.apply(options.guesses);
    this.plans.apply(options.interimSeconds);
    this.#updates.apply(updatesOptions(options));
  }

  /** Over that state of the user alone. */
  async #rehash(user: User, password: Buffer): Promise<void> {
    const hashed = await this.passwords.hashed(Buffer.from(password));
    if (hashed !== undefined) await this.writer.putUser({ ...user, password: hashed }, { revision: user.revision });
  }

  #forget(username: string): void {
    this.directory.userChanged(username);
    this.passwords.forget(username);
  }
}

function updatesOptions({ updates, memoryMs }: UsersOptions): UpdatesOptions {
  return { ...updates, memoryMs };
}
