import type { Attribute } from "../../radius/attribute.ts";
import type { PlanValues, User } from "../../store/user-types.ts";

/** A user as the pipeline sees it: the record and what holds for it now. Never changed once made; a change makes another. */
export interface KnownUser {
  readonly user: User;
  /** The plan's values with the user's own ones over them. */
  readonly values: PlanValues;
  /** Plan.quotaRules of the plan. */
  readonly quotaRules: readonly string[];
  /** For CHAP and MS-CHAP: the octets of a password kept in clear text; undefined for every other kind. */
  readonly clearText: Buffer | undefined;
  /** For MS-CHAP: 16 octets, kept as such or made from the clear text; undefined for a password that is only hashed. */
  readonly ntHash: Buffer | undefined;
}

/** Whether a user may log in at a moment, whatever the password. */
export type UserStanding = "valid" | "disabled" | "not-yet-valid" | "expired";

/** Users by name, remembered until they change: on this node at once, what another node changes after `users.memoryMs`. */
export interface UserDirectory {
  /** Without the store; undefined when find() has to be asked, or there is no such user. */
  remembered(username: string): KnownUser | undefined;
  /** @throws {HubError} ERR_STORE when it is not remembered and the store is down */
  find(username: string): Promise<KnownUser | undefined>;
}

/** "unusable": the user has no password, so that none can fit. "busy": nobody can say yet, because too many passwords wait to be
 *  hashed; the request is best left without an answer. The NAS asks again, and gets the verdict that is ready by then. */
export type PasswordVerdict = "match" | "mismatch" | "unusable" | "busy";

export interface PasswordCheck {
  /** Whether a PAP password is known to fit without a slow hash; false says nothing. */
  knows(known: KnownUser | undefined, password: Buffer): boolean;
  /** Whether a PAP password fits. For an unknown user it takes as long as for a known one and says "mismatch". Never rejects.
   *  @param attempt after GuessLimits.admit() @param password without the padding of User-Password
   *  @param until Clock.now() after which a verdict is of no use: it is "busy" then at the latest */
  verify(
    attempt: GuessAttempt,
    known: KnownUser | undefined,
    password: Buffer,
    until?: number,
  ): Promise<PasswordVerdict>;
}

/** One try to log in, as far as guesses are counted. */
export interface GuessAttempt {
  readonly username: string;
  /** As it came, any notation. */
  readonly callingStationId: string | undefined;
  /** Who brought it: the peer key of the link, or the address of an HTTP caller. */
  readonly source: string;
  /** The hub's own heartbeat: nothing holds it up. */
  readonly exempt?: boolean;
}

export type GuessVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly by: "user" | "mac" | "source"; readonly retryAfterMs: number };

/** Counts wrong passwords by user, MAC and source. Ask admit() before a password or a CHAP response is looked at. */
export interface GuessLimits {
  admit(attempt: GuessAttempt): GuessVerdict;
  /** The password was wrong, or there is no such user. */
  failed(attempt: GuessAttempt): void;
  /** The password was right: the user's wrong ones are forgotten. Those of the MAC and the source are not: who has one account could
   *  else go on guessing at those of others. */
  succeeded(attempt: GuessAttempt): void;
}

/** Passwords that are being hashed: as long as nobody knows, each takes the place of a wrong one. */
export interface PendingGuesses {
  /** @returns false when the user, MAC or source could reach its limit with those that are under way already */
  begin(attempt: GuessAttempt): boolean;
  /** After a begin() that was true. */
  end(attempt: GuessAttempt): void;
}

/** What bounds the acct session beyond its plan. */
export interface SessionBounds {
  readonly nowMs: number;
  /** Time quota that is left; undefined: no such quota. */
  readonly secondsLeft?: number | undefined;
}

/** Plan values as attributes of one vendor's routers. */
export interface PlanRenderer {
  /** For an Access-Accept: rates, Session-Timeout (never beyond the user's validity or the time quota), Idle-Timeout,
   *  Acct-Interim-Interval, Port-Limit and the plan's own attributes.
   *  @param vendor of the `clients` entry; undefined or unknown: "default" */
  accept(known: KnownUser, vendor: string | undefined, bounds: SessionBounds): readonly Attribute[];
}
