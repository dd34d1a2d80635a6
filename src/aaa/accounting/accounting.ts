import type { Clock } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import { proxyStates } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { AccountingRecord } from "../../store/accounting-record.ts";
import type { AcctSessionStore, RecordDetail, RecordResult } from "../../store/types.ts";
import type { Link, Reply, RequestContext } from "../../transport/link.ts";
import { type AccountingFault, readAccounting } from "./accounting-request.ts";
import { GroupCommit } from "./group-commit.ts";

export interface AccountingDeps {
  readonly clock: Clock;
  readonly acctSessions: Pick<AcctSessionStore, "record">;
  /** "brief" while nobody who is told of records looks at acct sessions. */
  readonly detail: () => RecordDetail;
  /** Told of each record once its Accounting-Response is on its way (seed 003: acknowledge, then look at the quota). */
  readonly recorded: (recorded: Recorded) => void;
}

export interface AccountingOptions {
  /** Silence after which an acct session is stale: the interim interval times the number that may be missed. */
  readonly staleAfterMs: number;
}

/** A record that is stored, and what it changed. */
export interface Recorded {
  readonly record: AccountingRecord;
  readonly result: RecordResult;
  /** The link that it came on. */
  readonly link: Link;
}

/** Accounting-Requests: stored durably, then answered, then acted on (invariant 6; UL-10, RFC 2866 Section 2). */
export class Accounting {
  readonly #deps: AccountingDeps;
  readonly #commit: GroupCommit;
  #options: AccountingOptions;

  constructor(deps: AccountingDeps, options: AccountingOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#commit = new GroupCommit((batch) => deps.acctSessions.record(batch, deps.detail()));
  }

  /** Records that wait for the store. */
  get waiting(): number {
    return this.#commit.waiting;
  }

  apply(options: AccountingOptions): void {
    this.#options = options;
  }

  /** Accounting-Response once the record is durable; no answer when it can not be stored.
   *  @param upstream what another server answers, where the record is forwarded too: then both must have happened */
  async answer(context: RequestContext, upstream?: Promise<Reply>): Promise<Reply> {
    const fault = await this.record(context);
    if (fault !== undefined) return { kind: "discard", reason: fault };
    return upstream ?? accountingResponse(context);
  }

  /** Stores an Accounting-Request. @returns undefined once it is durable, else why it is not */
  async record(
    context: Pick<RequestContext, "packet" | "link" | "listener" | "byApi" | "afterReply">,
  ): Promise<AccountingFault | "not-stored" | undefined> {
    const { packet, link, listener, byApi } = context;
    const arrivedAtMs = this.#deps.clock.wallMs();
    const { staleAfterMs } = this.#options;
    const record = readAccounting(packet, link, { staleAfterMs, arrivedAtMs, listener, byApi });
    if (typeof record === "string") return record;
    let result: RecordResult;
    try {
      result = await this.#commit.add(record);
    } catch (error) {
      if (error instanceof HubError) return "not-stored";
      throw error;
    }
    byApi?.stored(result.effect);
    context.afterReply(() => this.#deps.recorded({ record, result, link }));
    return undefined;
  }
}

/** UL-14, UL-15: nothing but the Proxy-States of the request, in order and unchanged. */
function accountingResponse({ packet }: RequestContext): Reply {
  return { kind: "reply", code: CODE.accountingResponse, attributes: proxyStates(packet.attributes) };
}
