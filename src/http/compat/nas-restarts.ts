import { apiPeerKey } from "../../dynauth/api-nas.ts";
import { callingStationKey } from "../../store/calling-station.ts";
import { PAGE_ITEMS_MAX } from "../../store/types.ts";
import type { CompatDeps } from "./deps.ts";
import { toldOf } from "./told.ts";

interface Restart {
  readonly organization: string;
  /** callingStationKey(). */
  readonly hotspot: string;
  /** What began before is over. */
  readonly atMs: number;
}

/** Closes the acct sessions of hotspots that have restarted (Accounting-On).
 *
 *  The session index has no key for a Called-Station-Id, so all that is open is looked through, once for all that ask while one look
 *  is under way: however many hotspots restart together, after a power cut for instance, the store is read twice. */
export class NasRestarts {
  readonly #api: string;
  readonly #deps: Pick<CompatDeps, "acctSessions" | "clock" | "closed">;
  #waiting: Restart[] = [];
  #next: Promise<void> | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(api: string, deps: Pick<CompatDeps, "acctSessions" | "clock" | "closed">) {
    this.#api = api;
    this.#deps = deps;
  }

  /** @throws {HubError} ERR_STORE */
  closeAt(calledStationId: string, organization: string): Promise<void> {
    if (calledStationId === "") return Promise.resolve();
    const hotspot = callingStationKey(calledStationId);
    this.#waiting.push({ organization, hotspot, atMs: this.#deps.clock.wallMs() });
    this.#next ??= this.#afterRunning();
    return this.#next;
  }

  async #afterRunning(): Promise<void> {
    await this.#running.catch(() => undefined);
    const restarts = this.#waiting;
    this.#waiting = [];
    this.#running = this.#look(restarts);
    this.#next = undefined;
    await this.#running;
  }

  async #look(restarts: readonly Restart[]): Promise<void> {
    const { acctSessions, clock, closed } = this.#deps;
    const byPlace = new Map(restarts.map((each) => [`${each.organization} ${each.hotspot}`, each.atMs]));
    const keys: string[] = [];
    let after: string | undefined;
    do {
      const { items, next } = await acctSessions.find({ open: true }, { limit: PAGE_ITEMS_MAX, after });
      for (const { key, facts, startedAtMs } of items) {
        if (facts.peerKey !== apiPeerKey(this.#api) || facts.calledStationId === undefined) continue;
        const organization = toldOf(facts.told)?.organization ?? "";
        const atMs = byPlace.get(`${organization} ${callingStationKey(facts.calledStationId)}`);
        if (atMs !== undefined && startedAtMs <= atMs) keys.push(key);
      }
      after = next;
    } while (after !== undefined);
    for (const key of keys) {
      const acctSession = await acctSessions.close(key, clock.wallMs(), "nas-on");
      if (acctSession !== undefined) closed(acctSession);
    }
  }
}
