import type { Clock } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import type { EventFeed } from "../../events.ts";
import { HubError } from "../../errors.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { PAGE_ITEMS_MAX, type Store } from "../../store/types.ts";
import type { PlanAttributes, SessionChange } from "../plans/plan-attributes.ts";
import { mayBeInForce } from "../quota/rules.ts";
import { type Told, tellRouter } from "./session-requests.ts";
import { standingOf } from "./standing.ts";
import type { KnownUser, UserDirectory } from "./types.ts";
import type { UserUpdate } from "./user-updates.ts";

export interface UpdateSessionsDeps {
  readonly clock: Clock;
  readonly events: EventFeed;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly store: Pick<Store, "acctSessions" | "quota">;
  readonly directory: UserDirectory;
  readonly attributes: Pick<PlanAttributes, "change">;
  /** Vendor of the router that an acct session is on, as its `clients` entry says. */
  readonly vendorOf: (acctSession: AcctSession) => string | undefined;
  /** Time quota that is left to a user. @throws {HubError} ERR_STORE */
  readonly secondsLeft: (username: string) => Promise<number | undefined>;
  /** The router does not know this acct session; its record is closed. */
  readonly closed: (acctSession: AcctSession) => void;
  /** The quota is looked at anew, once the routers know the plan. */
  readonly updated: (username: string) => void;
}

const WORST: readonly Told[] = ["again", "given-up", "gone", "done"];

/** Brings the open acct sessions of a user to what holds for the user now: new values by CoA, and a Disconnect for one that may not
 *  be there any more.
 *  @throws {HubError} ERR_STORE */
export async function updateSessions(deps: UpdateSessionsDeps, username: string): Promise<UserUpdate> {
  const { clock, store, directory } = deps;
  const known = await directory.find(username);
  const isIn = known !== undefined && standingOf(known.user, clock.wallMs()) === "valid";
  const againAtMs = isIn ? known.user.validUntilMs : undefined;
  const { items } = await store.acctSessions.find({ username, open: true }, { limit: PAGE_ITEMS_MAX });
  if (items.length === 0) return { told: "done", againAtMs };
  const changes = isIn ? await changesOf(deps, known, items) : items.map(() => DISCONNECT);
  const told = await Promise.all(items.map((each, index) => tell(deps, each, changes[index] ?? DISCONNECT)));
  if (isIn) deps.updated(username);
  return { told: WORST.find((each) => told.includes(each)) ?? "done", againAtMs };
}

const DISCONNECT: SessionChange = { kind: "disconnect" };

async function changesOf(
  deps: UpdateSessionsDeps,
  known: KnownUser,
  acctSessions: readonly AcctSession[],
): Promise<readonly SessionChange[]> {
  const { clock, store, attributes, vendorOf } = deps;
  const { username } = known.user;
  const [actions, secondsLeft] = await Promise.all([store.quota.actions(username), deps.secondsLeft(username)]);
  const throttled = new Set(actions.filter(mayBeInForce).map(({ acctSessionKey }) => acctSessionKey));
  return acctSessions.map((acctSession) =>
    attributes.change(known, vendorOf(acctSession), {
      nowMs: clock.wallMs(),
      startedAtMs: acctSession.startedAtMs,
      throttled: throttled.has(acctSession.key),
      secondsLeft,
    }),
  );
}

async function tell(deps: UpdateSessionsDeps, acctSession: AcctSession, change: SessionChange): Promise<Told> {
  const { clock, dynauth, events, store, closed } = deps;
  const told = await tellRouter(dynauth, acctSession, change);
  const { username, key, facts } = acctSession;
  const nas = facts.nasIdentifier ?? facts.nasAddress;
  const action = change.kind === "coa" ? "change" : "disconnect";
  events.emit({ type: "user.told", atMs: clock.wallMs(), username, acctSessionKey: key, nas, action, told });
  if (told !== "gone") return told;
  try {
    const now = await store.acctSessions.close(key, clock.wallMs(), "unknown-to-nas");
    if (now !== undefined) closed(now);
  } catch (error) {
    if (!(error instanceof HubError)) throw error; // the store is down: it falls stale
  }
  return told;
}
