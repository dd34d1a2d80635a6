import type { Clock } from "../clock.ts";
import { ATTRIBUTE, type Attribute, firstValue } from "../radius/attribute.ts";
import { CODE } from "../radius/codes.ts";
import type { LinkRecord } from "../registry/types.ts";
import { splitAcctSessionKey } from "../store/acct-session-key.ts";
import { type AcctSession, FINAL_CAUSES } from "../store/acct-session.ts";
import { octetText } from "../store/octet-text.ts";
import type { AcctSessionQuery, AcctSessionStore } from "../store/types.ts";
import type { ExchangeRequest } from "./exchange-request.ts";
import type { Resolution } from "./resolver.ts";
import { contradicts } from "./session-facts.ts";

/** How a comparison ended. "unknown": the records have no such acct session. "failed": the store did not answer in time. */
export const SESSION_CHECK_RESULTS = ["fits", "unknown", "refused", "failed"] as const;
export type SessionCheckResult = (typeof SESSION_CHECK_RESULTS)[number];

export interface SessionCheckDeps {
  readonly clock: Clock;
  readonly acctSessions: Pick<AcctSessionStore, "find">;
  /** Links of the peer that an acct session was heard from. */
  readonly linksOf: (acctSession: AcctSession) => readonly LinkRecord[];
}

/** How long the store may take: a DAC asks again after two seconds, and a slow store keeps nobody connected. */
const STORE_TIMEOUT_MS = 1_000;
/** Comparisons that the store has not answered; of more the result is "failed", or accounting would find no room there. */
const ASKING_MAX = 1_024;
/** Acct sessions that are looked at, the newest first; a NAS that has more of one id gives ids that tell nothing. */
const LOOKED_AT_MAX = 100;

/** Compares what a DAC asks of a NAS with the acct sessions on record (DP-30; RFC 8559 Section 4.3.1).
 *
 *  (1) Only a record speaks against a request. What is not on record goes to the NAS, which knows all its acct sessions: a Start
 *      may be on its way or lost, and not every router sends accounting here.
 *  (2) A store that is down, or slow, keeps no request from its NAS. */
export class SessionCheck {
  /** Since the start. */
  readonly counts: Record<SessionCheckResult, number> = { fits: 0, unknown: 0, refused: 0, failed: 0 };
  readonly #deps: SessionCheckDeps;
  /** Questions that the store has not answered, also those that nobody waits for any more. */
  #asking = 0;

  constructor(deps: SessionCheckDeps) {
    this.#deps = deps;
  }

  /** @returns the resolution, or no-route where the records say otherwise */
  judge(request: ExchangeRequest, resolution: Resolution): Resolution | Promise<Resolution> {
    const { code, proxied, target, attributes } = request;
    if (proxied !== true || (code !== CODE.disconnectRequest && code !== CODE.coaRequest)) return resolution;
    const peerKey = resolution.kind === "targets" ? resolution.targets[0]?.peerKey : undefined;
    const acctSession = namedAcctSession(attributes);
    if (peerKey === undefined || acctSession === undefined) return resolution;
    // As the NAS is called in the request: its accounting may have had either name.
    const { nasIdentifier, nasAddress } = target;
    const queries: AcctSessionQuery[] = [];
    if (nasIdentifier !== undefined)
      queries.push({ ...acctSession, nasIdentifier: octetText(Buffer.from(nasIdentifier, "latin1")) });
    if (nasAddress !== undefined) queries.push({ ...acctSession, nasAddress });
    return queries.length === 0 ? resolution : this.#compared(attributes, queries, peerKey, resolution);
  }

  async #compared(
    attributes: readonly Attribute[],
    queries: readonly AcctSessionQuery[],
    peerKey: string,
    resolution: Resolution,
  ): Promise<Resolution> {
    const known = this.#asking < ASKING_MAX ? await this.#inTime(this.#recorded(queries, peerKey)) : undefined;
    const result = known === undefined ? "failed" : judged(known, attributes);
    this.counts[result] += 1;
    return result === "refused" ? { kind: "no-route", why: "no-session", nas: nasOf(resolution) } : resolution;
  }

  /** The acct sessions of the peer that the first query with any finds. */
  async #recorded(queries: readonly AcctSessionQuery[], peerKey: string): Promise<readonly AcctSession[]> {
    this.#asking += 1;
    try {
      for (const query of queries) {
        const { items } = await this.#deps.acctSessions.find(query, { limit: LOOKED_AT_MAX });
        const ofPeer = items.filter((each) => this.#deps.linksOf(each).some(({ link }) => link.peerKey === peerKey));
        if (ofPeer.length > 0) return ofPeer;
      }
      return [];
    } finally {
      this.#asking -= 1;
    }
  }

  #inTime<Result>(work: Promise<Result>): Promise<Result | undefined> {
    return new Promise((resolve) => {
      const cancel = this.#deps.clock.after(STORE_TIMEOUT_MS, () => resolve(undefined));
      const end = (result: Result | undefined): void => {
        cancel();
        resolve(result);
      };
      work.then(end, () => end(undefined)); // the store tells of its own faults
    });
  }
}

/** What names one acct session at a NAS; undefined where the request speaks of users, addresses or ports alone. */
function namedAcctSession(attributes: readonly Attribute[]): AcctSessionQuery | undefined {
  const acctSessionId = firstValue(attributes, ATTRIBUTE.acctSessionId);
  if (acctSessionId !== undefined) return { acctSessionId: octetText(acctSessionId) };
  const multiSessionId = firstValue(attributes, ATTRIBUTE.acctMultiSessionId);
  return multiSessionId === undefined ? undefined : { multiSessionId: octetText(multiSessionId) };
}

/** Of several that one id may mean, one that fits is enough. What the hub itself has closed tells nothing: the NAS may have it. */
function judged(recorded: readonly AcctSession[], attributes: readonly Attribute[]): SessionCheckResult {
  const latest = new Map<string, AcctSession>();
  for (const each of recorded) {
    const { base, generation } = splitAcctSessionKey(each.key);
    const present = latest.get(base);
    if (present === undefined || present.generation < generation) latest.set(base, each);
  }
  const known = [...latest.values()].filter(({ open, closeCause }) => open || isOfNas(closeCause));
  if (known.length === 0) return "unknown";
  return known.some((each) => each.open && !contradicts(attributes, each)) ? "fits" : "refused";
}

function isOfNas(closeCause: AcctSession["closeCause"]): boolean {
  return closeCause !== undefined && FINAL_CAUSES.has(closeCause);
}

function nasOf(resolution: Resolution): string | undefined {
  return resolution.kind === "targets" ? resolution.targets[0]?.nas : resolution.nas;
}
