import type { BackEndFigures } from "../aaa/pipeline/back-ends.ts";
import type { QuotaCounts } from "../aaa/quota/options.ts";
import type { Accounts } from "../aaa/users/accounts.ts";
import type { Quota } from "../aaa/quota/quota.ts";
import type { UpstreamStatus } from "../aaa/upstream/upstreams.ts";
import type { Clock, Random } from "../clock.ts";
import type { Dynauth } from "../dynauth/dynauth.ts";
import type { EventFeed } from "../events.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import type { Registry } from "../registry/registry.ts";
import type { AuditStore } from "../store/audit-types.ts";
import type { Outbox } from "../store/outbox-types.ts";
import type { QuotaStore } from "../store/quota-types.ts";
import type { AcctSessionStore, UsageStore } from "../store/types.ts";
import type { PlanStore, UserStore } from "../store/user-types.ts";
import type { UdpFigures } from "../transport/udp-listener.ts";
import type { BookFigures } from "./book-metrics.ts";
import type { CompatParts } from "./compat/deps.ts";
import type { CompatOptions } from "./compat/options.ts";

/** What a caller may do, each role includes the ones before it. monitor reads, operator disconnects, admin sends any code. */
export const ROLES = ["monitor", "operator", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Section `http` of the configuration. */
export interface HttpOptions {
  readonly address: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly tokens: readonly { readonly name: string; readonly token: string; readonly role: Role }[];
  readonly basic: readonly { readonly name: string; readonly password: string; readonly role: Role }[];
  /** Who may call at all; empty is everybody. A network with a role is trusted without a token. */
  readonly clients: readonly { readonly network: string; readonly role?: Role | undefined }[];
  /** Host names, without port, that browsers may use besides localhost. */
  readonly allowedHosts: readonly string[];
  readonly bodyBytesMax: number;
  readonly headerTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** The longest a request may ask for. */
  readonly timeoutMaxMs: number;
  /** APIs of other systems; undefined: none. */
  readonly compat?: CompatOptions | undefined;
  /** How callers reach the API from outside, "https://hub.example.net"; undefined: as they say in Host. */
  readonly publicUrl?: string | undefined;
}

export interface HttpDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly registry: RegistryView;
  readonly dynauth: ExchangeDoor;
  readonly dictionary: AttributeNames;
  readonly ready: () => Readiness;
  /** Closes a link for the operator; false when there is none of that name. */
  readonly closeLink: (linkId: string) => boolean;
  /** The servers that requests are forwarded to, now. */
  readonly upstreams?: () => readonly UpstreamStatus[];
  /** Figures of the UDP listeners, now. */
  readonly udp?: () => readonly UdpFigures[];
  /** Whether the last heartbeat was answered. */
  readonly heartbeat?: () => boolean;
  /** The session index; without it a request must name its NAS. */
  readonly acctSessions?: Pick<AcctSessionStore, "find" | "one"> | undefined;
  /** Figures of what stands on the store, now. */
  readonly books?: (() => BookFigures) | undefined;
  /** Messages of webhooks. */
  readonly outbox?: Pick<Outbox, "counts" | "dead" | "revive"> | undefined;
  /** Writes a copy of the store under a name; undefined where another program keeps the store. */
  readonly backup?:
    | ((name: string) => Promise<{ readonly file: string; readonly octets: number } | undefined>)
    | undefined;
  /** Exchanges that have ended. */
  readonly audit?: Pick<AuditStore, "find"> | undefined;
  readonly usage?: Pick<UsageStore, "periods"> | undefined;
  readonly quotaStore?: Pick<QuotaStore, "override" | "putOverride" | "removeOverride"> | undefined;
  readonly quota?: QuotaView | undefined;
  readonly users?: Pick<UserStore, "one" | "list"> | undefined;
  readonly plans?: Pick<PlanStore, "one" | "list"> | undefined;
  readonly accounts?: AccountsView | undefined;
  /** What the APIs of other systems use beside all this. */
  readonly compat?: CompatParts | undefined;
  /** The systems that modules ask, now. */
  readonly backEnds?: (() => readonly BackEndFigures[]) | undefined;
  readonly version: string;
  readonly log: HttpLog;
}

/** What the API reads of the registry. */
export type RegistryView = Pick<
  Registry,
  "size" | "record" | "records" | "byNasIdentifier" | "bindingCount" | "bindings" | "binding" | "release"
>;

/** What the API asks of dynauth. */
export type ExchangeDoor = Pick<Dynauth, "exchange" | "inFlight">;

/** What the API asks of the dictionary. */
export type AttributeNames = Pick<Dictionary, "attributeName" | "encode" | "decode">;

/** What the API asks of the quota. */
export interface QuotaView extends Pick<Quota, "userChanged" | "standingsOf"> {
  /** Names of the rules in hub.yaml, now. */
  readonly ruleNames: () => readonly string[];
  /** What a rule counts; undefined for a name that no rule has. */
  readonly countsOf: (rule: string) => QuotaCounts | undefined;
}

/** What the API asks of the users and plans. */
export interface AccountsView {
  readonly directory: Pick<Accounts["directory"], "plan">;
  readonly passwords: Pick<Accounts["passwords"], "stored">;
  readonly writer: Accounts["writer"];
  readonly load: Accounts["load"];
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail?: string | undefined }>>;
}

/** The part of pino that the API uses. */
interface HttpLog {
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
  error(facts: object, message: string): void;
}
