import type { Clock } from "../../clock.ts";
import { ERROR_CAUSE } from "../../dynauth/error-cause.ts";
import type { EndedExchange, ExchangeRequest } from "../../dynauth/exchange-request.ts";
import { queryOf } from "../../dynauth/session-resolver.ts";
import { HubError } from "../../errors.ts";
import type { EventFeed } from "../../events.ts";
import { ATTRIBUTE, firstValue } from "../../radius/attribute.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { AuditEntry } from "../../store/audit-types.ts";
import { octetText } from "../../store/octet-text.ts";
import type { AcctSessionQuery, Store } from "../../store/types.ts";
import { DropReport } from "../upkeep/drop-report.ts";

export interface ExchangeAuditDeps {
  readonly clock: Clock;
  readonly events: EventFeed;
  readonly store: Pick<Store, "audit" | "acctSessions">;
  /** The NAS said that it does not know this acct session; its record is closed. */
  readonly closed: (acctSession: AcctSession) => void;
  readonly onFault: (error: unknown) => void;
}

/** Exchanges that wait to be written down; one more is dropped. */
const WAITING_MAX = 16_384;
const BATCH_MAX = 256;
/** Records that one 503 closes: whoever has more of one name at one NAS is no user. */
const CLOSED_MAX = 100;

/** Writes down who asked for which exchange and how it ended, and closes the records of acct sessions that their NAS does not
 *  know. Nobody waits for it: what the store can not take is dropped and counted.
 *
 *  new --start()--> running --stop()--> stopped */
export class ExchangeAudit {
  readonly #deps: ExchangeAuditDeps;
  readonly #dropped: DropReport;
  #waiting: Ended[] = [];
  #writing: Promise<void> | undefined;
  #running = false;

  constructor(deps: ExchangeAuditDeps) {
    this.#deps = deps;
    this.#dropped = new DropReport(deps, "audit");
  }

  /** For the metrics. */
  get counts(): { readonly waiting: number; readonly dropped: number } {
    return { waiting: this.#waiting.length, dropped: this.#dropped.total };
  }

  start(): void {
    this.#running = true;
  }

  /** Resolves when all that has ended is written down or dropped. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#writing;
  }

  /** One exchange has ended; returns at once. */
  ended(exchange: EndedExchange): void {
    if (!this.#running) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#dropped.count("too many exchanges wait for the store");
      return;
    }
    this.#waiting.push(endedOf(exchange));
    this.#writing ??= this.#write();
  }

  async #write(): Promise<void> {
    // What the same turn of the event loop brings goes along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        for (const ended of batch) await this.#close(ended);
        await this.#deps.store.audit.append(await Promise.all(batch.map(({ entry }) => this.#named(entry))));
      } catch (error) {
        if (error instanceof HubError) this.#dropped.count("the store refuses", batch.length);
        else this.#deps.onFault(error);
      }
    }
    this.#writing = undefined;
  }

  /** Who was asked for by MAC or IP address is found under the name too. */
  async #named(entry: AuditEntry): Promise<AuditEntry> {
    const { username, acctSessionKey } = entry;
    if (username !== undefined || acctSessionKey === undefined) return entry;
    return { ...entry, username: (await this.#deps.store.acctSessions.one(acctSessionKey))?.username };
  }

  /** What the NAS does not know is over, whatever its Stop came to. Should the NAS tell of it again, it is open again. */
  async #close({ entry, unknown }: Ended): Promise<void> {
    if (unknown === undefined) return;
    const { clock, store, closed } = this.#deps;
    const keys = entry.acctSessionKey === undefined ? await this.#keysOf(unknown) : [entry.acctSessionKey];
    for (const key of keys) {
      const now = await store.acctSessions.close(key, clock.wallMs(), "unknown-to-nas");
      if (now !== undefined) closed(now);
    }
  }

  /** The acct sessions that a request meant which named its NAS itself. */
  async #keysOf(unknown: AcctSessionQuery): Promise<readonly string[]> {
    const { items } = await this.#deps.store.acctSessions.find(unknown, { limit: CLOSED_MAX });
    // Routers that share a name are told apart by their key: which of them answered is not known here.
    const isOneNas = new Set(items.map(({ nasKey }) => nasKey)).size === 1;
    return isOneNas ? items.map(({ key }) => key) : [];
  }
}

/** Free of octets that lie in the network's buffers. */
interface Ended {
  readonly entry: AuditEntry;
  /** What the NAS does not know. */
  readonly unknown: AcctSessionQuery | undefined;
}

function endedOf(exchange: EndedExchange): Ended {
  const { exchangeId, atMs, durationMs, request, outcome } = exchange;
  const settled = outcome === "refused" ? undefined : outcome;
  const replied = settled?.kind === "ack" || settled?.kind === "nak" ? settled : undefined;
  const userName = firstValue(request.attributes, ATTRIBUTE.userName);
  const entry: AuditEntry = {
    exchangeId,
    atMs,
    code: request.code,
    trigger: request.trigger,
    caller: request.caller,
    requestId: request.requestId,
    nas: settled?.nas,
    linkId: settled?.attempts.at(-1)?.linkId,
    username: userName === undefined ? undefined : octetText(userName),
    acctSessionKey: settled?.acctSessionKey ?? request.acctSessionKey,
    outcome: settled?.kind ?? "refused",
    replyCode: replied?.replyCode,
    errorCause: replied?.errorCause,
    attempts: settled?.attempts.length ?? 0,
    durationMs,
  };
  return { entry, unknown: unknownToNas(entry, request) };
}

/** RFC 5176 Section 3.5, 503 Session-Context-Not-Found. The quota closes what it asked for itself, before it looks at the user
 *  again. */
function unknownToNas(entry: AuditEntry, { trigger, attributes }: ExchangeRequest): AcctSessionQuery | undefined {
  if (entry.outcome !== "nak" || entry.errorCause !== ERROR_CAUSE.sessionContextNotFound) return undefined;
  const query = trigger === "quota" || entry.nas === undefined ? undefined : queryOf(attributes);
  return query && { ...query, nasIdentifier: entry.nas, open: true };
}
