import type { Clock } from "../../clock.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import type { EventFeed } from "../../events.ts";
import { HubError } from "../../errors.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { callingStationKey } from "../../store/calling-station.ts";
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

const WORST: readonly Told[] = ["again", "away", "given-up", "gone", "done"];
/** As callingStationKey() writes it. */
const MAC_KEY = /^(?:[0-9A-F]{2}-){5}[0-9A-F]{2}$/;

/** Brings the open acct sessions of a user to what holds for the user now: new values by CoA, and a Disconnect for one that may not
 *  be there any more.
 *  @param sinceMs only acct sessions that began then or later have to learn of values; a user who may not be there is disconnected
 *  everywhere
 *  @throws {HubError} ERR_STORE */
export async function updateSessions(
  deps: UpdateSessionsDeps,
  username: string,
  sinceMs: number | undefined,
): Promise<UserUpdate> {
  const { clock, directory } = deps;
  const known = await directory.find(username);
  const isIn = known !== undefined && standingOf(known.user, clock.wallMs()) === "valid";
  const told = new Set<Told>();
  for await (const items of openSessions(deps, username, isIn ? sinceMs : undefined)) {
    const changes = isIn ? await changesOf(deps, known, items) : items.map(() => DISCONNECT);
    for (const each of await Promise.all(items.map((item, at) => tell(deps, item, changes[at] ?? DISCONNECT)))) {
      told.add(each);
    }
  }
  if (isIn && told.size > 0) deps.updated(username);
  return { told: WORST.find((each) => told.has(each)) ?? "done", againAtMs: endOf(known, clock.wallMs()) };
}

/** When the validity ends by itself, also of a user for whom it has not begun. */
function endOf(known: KnownUser | undefined, nowMs: number): number | undefined {
  const endMs = known?.user.validUntilMs;
  return endMs !== undefined && endMs > nowMs ? endMs : undefined;
}

/** The open acct sessions of a user, a page at a time. A device that a router authenticates by its MAC address has acct sessions in
 *  the router's notation, whichever that of its user is. */
async function* openSessions(
  { store }: Pick<UpdateSessionsDeps, "store">,
  username: string,
  sinceMs: number | undefined,
): AsyncGenerator<readonly AcctSession[]> {
  const device = callingStationKey(username);
  const isDevice = MAC_KEY.test(device);
  const query = isDevice ? { callingStationId: device } : { username };
  for (let after: string | undefined; ; ) {
    const page = await store.acctSessions.find(
      { ...query, open: true, startedFromMs: sinceMs },
      { limit: PAGE_ITEMS_MAX, after },
    );
    const own = isDevice ? page.items.filter((each) => callingStationKey(each.username ?? "") === device) : page.items;
    if (own.length > 0) yield own;
    if (page.next === undefined) return;
    after = page.next;
  }
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
