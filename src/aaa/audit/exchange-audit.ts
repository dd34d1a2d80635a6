import type { Clock } from "../../clock.ts";
import { isApiPeer } from "../../dynauth/api-nas.ts";
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

/** Whose exchanges are written down: "asked" leaves out what a DAC asks for by RADIUS, thousands a second perhaps, and logs itself. */
export const AUDITED = ["asked", "all", "off"] as const;
export type Audited = (typeof AUDITED)[number];
const BY_RADIUS: ReadonlySet<string> = new Set(["udp", "radsec"]);

/** Exchanges that wait to be written down; one more is dropped. */
const WAITING_MAX = 16_384;
const BATCH_MAX = 1_024;
/** Nobody waits for an entry: what ends within this time costs the store one write. */
const GATHER_MS = 100;
/** Records that one 503 closes: whoever has more of one name at one NAS is no user. */
const CLOSED_MAX = 100;

/** Writes down who asked for which exchange and how it ended, and closes the records of acct sessions that their NAS does not
 *  know. Nobody waits for it: what the store can not take is dropped and counted.
 *
 *  new --start()--> running --stop()--> stopped */
export class ExchangeAudit {
  readonly #deps: ExchangeAuditDeps;
  readonly #dropped: DropReport;
  #audited: Audited;
  #endGathering: () => void = () => undefined;
  #waiting: Ended[] = [];
  #writing: Promise<void> | undefined;
  #running = false;

  constructor(deps: ExchangeAuditDeps, audited: Audited) {
    this.#deps = deps;
    this.#audited = audited;
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
    this.#endGathering();
    await this.#writing;
  }

  apply(audited: Audited): void {
    this.#audited = audited;
  }

  /** One exchange has ended; returns at once. */
  ended(exchange: EndedExchange): void {
    const isAudited = this.#isAudited(exchange);
    if (!this.#running || !(isAudited || isUnknownToNas(exchange.outcome))) return;
    if (this.#waiting.length >= WAITING_MAX) {
      this.#dropped.count("too many exchanges wait for the store");
      return;
    }
    this.#waiting.push(endedOf(exchange, isAudited));
    this.#writing ??= this.#write();
  }

  #isAudited({ request }: EndedExchange): boolean {
    return this.#audited === "all" || (this.#audited === "asked" && !BY_RADIUS.has(request.trigger));
  }

  async #write(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#endGathering = resolve;
      this.#deps.clock.after(GATHER_MS, resolve);
    });
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        for (const ended of batch) await this.#close(ended);
        const audited = batch.filter(({ isAudited }) => isAudited);
        await this.#deps.store.audit.append(await Promise.all(audited.map(({ entry }) => this.#named(entry))));
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
    const isOneNas = new Set(items.map(nasOf)).size === 1;
    return isOneNas ? items.map(({ key }) => key) : [];
  }
}

/** Acct sessions that an HTTP API told of have a key each: their NAS is what the API said of it. */
function nasOf({ nasKey, facts }: AcctSession): string {
  return isApiPeer(facts.peerKey) ? `${facts.peerKey} ${facts.nasIdentifier ?? facts.nasAddress}` : nasKey;
}

/** Free of octets that lie in the network's buffers. */
interface Ended {
  readonly entry: AuditEntry;
  readonly isAudited: boolean;
  /** What the NAS does not know. */
  readonly unknown: AcctSessionQuery | undefined;
}

function endedOf(exchange: EndedExchange, isAudited: boolean): Ended {
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
    why: settled !== undefined && "why" in settled ? settled.why : undefined,
    mayHaveActed: settled?.mayHaveActed ?? false,
    replyCode: replied?.replyCode,
    errorCause: replied?.errorCause,
    attempts: settled?.attempts.length ?? 0,
    durationMs,
  };
  const unknown = isUnknownToNas(outcome) ? unknownToNas(entry, request) : undefined;
  return { entry, isAudited, unknown };
}

/** RFC 5176 Section 3.5, 503 Session-Context-Not-Found. */
function isUnknownToNas(outcome: EndedExchange["outcome"]): boolean {
  return outcome !== "refused" && outcome.kind === "nak" && outcome.errorCause === ERROR_CAUSE.sessionContextNotFound;
}

/** The quota closes what it asked for itself, before it looks at the user
 *  again. */
function unknownToNas(entry: AuditEntry, { trigger, attributes }: ExchangeRequest): AcctSessionQuery | undefined {
  const query = trigger === "quota" || entry.nas === undefined ? undefined : queryOf(attributes);
  return query && { ...query, nasIdentifier: entry.nas, open: true };
}
