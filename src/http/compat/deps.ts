import type { ApiRequests } from "../../aaa/by-api/api-requests.ts";
import type { Accounts } from "../../aaa/users/accounts.ts";
import type { Clock, Random } from "../../clock.ts";
import type { ApiRecordStore } from "../../store/api-record-types.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { AcctSessionStore } from "../../store/types.ts";
import type { UserStore } from "../../store/user-types.ts";
import type { HttpDeps, QuotaView } from "../options.ts";
import type { CompatOptions } from "./options.ts";

/** What the compatible APIs use of the hub and nobody else does. It exists where accounting, and with it the store, is on. */
export interface CompatParts {
  readonly requests: Pick<ApiRequests, "login" | "account">;
  readonly records: ApiRecordStore;
  readonly acctSessions: Pick<AcctSessionStore, "find" | "one" | "close">;
  readonly users: Pick<UserStore, "one">;
  readonly accounts: Pick<Accounts, "directory" | "passwords" | "guesses" | "writer">;
  /** Told of each acct session that an API closes. */
  readonly closed: (acctSession: AcctSession) => void;
}

export interface CompatDeps extends CompatParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: HttpDeps["log"];
  readonly dictionary: Pick<HttpDeps["dictionary"], "encode" | "decode">;
  readonly quota?: Pick<QuotaView, "standingsOf" | "ruleNames"> | undefined;
}

/** The options as they are now. */
export interface CompatSettings {
  readonly compat: CompatOptions;
  readonly bodyBytesMax: number;
  /** HttpOptions.publicUrl. */
  readonly publicUrl: string | undefined;
}
