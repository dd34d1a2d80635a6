import type { SharedSecret } from "../../radius/authenticator.ts";
import type { ClientEntry } from "../../transport/client-entry.ts";
import type { PskCredential } from "../../transport/psk.ts";
import type { ListenerTlsOptions } from "../../transport/tls-context.ts";

/** Everything about upstream servers, as config.ts makes it. Plain data; durations in milliseconds. */
export interface UpstreamsOptions {
  readonly servers: readonly UpstreamServerOptions[];
  readonly pools: readonly PoolOptions[];
  /** Tried in order, the first that fits decides. Without a fit the hub answers by itself. */
  readonly routes: readonly RouteRule[];
}

export type UpstreamServerOptions = UdpServerOptions | RadsecServerOptions;

interface CommonServerOptions {
  /** Unique among the servers. */
  readonly name: string;
  /** IP address or host name. */
  readonly host: string;
  readonly secret: SharedSecret;
  /** How one try ends without a reply; the next server of the pool is asked then. */
  readonly replyTimeoutMs: number;
  readonly probe: ProbeOptions;
}

/** What asks a server whether it is alive. */
export interface ProbeOptions {
  /** "access-request" for servers that do not answer Status-Server: any reply will do. */
  readonly kind: "status-server" | "access-request";
  /** Over UDP: which port is asked. "acct" for a server that keeps accounting and nothing else. */
  readonly port: "auth" | "acct";
  /** User-Name and User-Password of a test Access-Request. */
  readonly userName: string;
  readonly password: string;
  /** How long a probe over UDP waits for its answer. */
  readonly timeoutMs: number;
  /** Between two probes of a server that is not alive; doubled for each that stays unanswered, up to `intervalMaxMs`. */
  readonly intervalMs: number;
  readonly intervalMaxMs: number;
}

export interface UdpServerOptions extends CommonServerOptions {
  readonly transport: "udp";
  readonly authPort: number;
  readonly acctPort: number;
  /** Whether a reply to an Access-Request without Message-Authenticator is dropped (BR-08). */
  readonly requireMessageAuthenticator: boolean;
  /** Initial and longest time between two sendings, and how many (RFC 5080 Section 2.2.1: 2 s, 16 s, 5). */
  readonly retransmit: { readonly irtMs: number; readonly mrtMs: number; readonly mrc: number };
  /** Requests in a row that stay unanswered before the server is probed. */
  readonly suspectAfter: number;
}

export interface RadsecServerOptions extends CommonServerOptions {
  readonly transport: "radsec";
  readonly port: number;
  /** What the hub shows and whom it trusts, PEM; the hub's TLS material, read by hub.ts. Undefined with `psk`. */
  readonly tls: ListenerTlsOptions | undefined;
  /** What the hub and the server prove themselves by in place of certificates (RFC 9813). */
  readonly psk?: PskCredential | undefined;
  /** Name that the server's certificate must have as a SAN, never as Common Name (TLS-14); `host` when undefined. */
  readonly serverName?: string | undefined;
  /** Realm that the certificate must have as NAIRealm, instead of the name (TLS-24, RFC 7585 Section 2.2). */
  readonly naiRealm?: string | undefined;
  /** Links that are kept open, 1 or more. */
  readonly links: number;
  /** Tw: 15,000, never below 6,000 (WD-02). */
  readonly watchdogMs: number;
  /** 500 or more (WD-07), and the longest time between two attempts. */
  readonly reconnect: { readonly floorMs: number; readonly capMs: number };
  /** Requests that wait for a free Identifier on each link. */
  readonly queueMax: number;
  /** Whether Disconnect- and CoA-Requests that this server sends back are triggers, and what they may reach. */
  readonly triggers: Pick<ClientEntry, "mayTrigger" | "reach" | "filter">;
}

export interface PoolOptions {
  readonly name: string;
  /** Names of servers; in mode "fail-over" the first that is alive is asked. */
  readonly servers: readonly string[];
  /** "balance": the server with the fewest requests outstanding. */
  readonly mode: "fail-over" | "balance";
  /** From the request to the last moment at which its answer is of use, over all servers that are tried. */
  readonly timeoutMs: number;
}

/** All keys that are present must hold. */
export interface RouteRule {
  /** Lower-case realm: what follows the last "@" of User-Name, else what precedes the first "\". "*.example.org" is every
   *  realm below example.org, "*" any realm at all, "" a user without one. */
  readonly realm?: string | undefined;
  /** Names of listeners. */
  readonly listeners?: readonly string[] | undefined;
  /** "auth" is Access-Request, "acct" Accounting-Request. */
  readonly kind?: "auth" | "acct" | undefined;
  /** Name of the pool; undefined: not forwarded, the hub answers by itself. */
  readonly pool: string | undefined;
}

export interface HeartbeatOptions {
  readonly enabled: boolean;
  /** 60,000 as shipped. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly userName: string;
  readonly password: string;
}
