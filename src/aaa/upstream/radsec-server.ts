import type { ClientEntry } from "../../transport/client-entry.ts";
import type { HidingHop } from "../../radius/hidden.ts";
import { AUTHENTICATOR_BYTES } from "../../radius/packet.ts";
import type { ListenerTlsOptions } from "../../transport/tls-context.ts";
import { RadsecDialler, type RadsecDiallerDeps } from "../../transport/radsec-dialler.ts";
import { WATCHDOG_JITTER_MS } from "../../transport/watchdog.ts";
import type { RadsecServerOptions } from "./options.ts";
import { probeRequest } from "./probe-request.ts";
import type { UpstreamAnswer, UpstreamQuestion, UpstreamServer, UpstreamState } from "./upstream-server.ts";

export interface RadsecServerDeps extends Omit<RadsecDiallerDeps, "changed"> {
  /** NAS-Identifier of probes. */
  readonly nasIdentifier: string;
  readonly changed: (up: boolean, detail: string) => void;
}

const CONNECT_TIMEOUT_MS = 10_000;
/** What an outbound link allows its server; the sizes are those of a listener as shipped. */
const LINK = {
  writeBacklogBytesMax: 1_048_576,
  requestsInHandlerMax: 1_000,
  statusServer: { enabled: true, perSecondMax: 10 },
  timestampWindowMs: 300_000,
};

/** An upstream server behind RADIUS/TLS. It is alive while a link to it is: that a request stays unanswered may be the fault
 *  of a server behind it (WD-06). */
export class RadsecServer implements UpstreamServer {
  readonly name: string;
  readonly transport = "radsec";
  readonly #deps: RadsecServerDeps;
  readonly #options: RadsecServerOptions;
  readonly #dialler: RadsecDialler;
  #outstanding = 0;
  /** What was reported last; nothing before the first connection came or failed. */
  #reported: UpstreamState | undefined;

  constructor(deps: RadsecServerDeps, options: RadsecServerOptions) {
    const { nasIdentifier, ...dialling } = deps;
    const { name, host, probe, secret, watchdogMs } = options;
    this.name = name;
    this.#deps = deps;
    this.#options = options;
    this.#dialler = new RadsecDialler(
      { ...dialling, changed: (detail) => this.#changed(detail) },
      {
        ...options,
        name: `upstream:${name}`,
        serverName: options.serverName ?? host,
        connectTimeoutMs: CONNECT_TIMEOUT_MS,
        watchdogMs,
        watchdogJitterMs: WATCHDOG_JITTER_MS,
        probe: (authenticator) => probeRequest(probe, nasIdentifier, { secret, authenticator }),
        entry: entryOf(options),
        link: { ...LINK, queueMax: options.queueMax },
      },
    );
  }

  get state(): UpstreamState {
    return this.#dialler.usable.length > 0 ? "alive" : "dead";
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  start(): void {
    this.#dialler.start();
  }

  /** New connections show and trust this. @throws {HubError} ERR_PKI */
  useTls(tls: ListenerTlsOptions): void {
    this.#dialler.useTls(tls);
  }

  stop(): Promise<void> {
    return this.#dialler.stop();
  }

  /** The watchdog of each link does it all the time. */
  probe(): void {}

  async ask({ code, seal, deadline, signal }: UpstreamQuestion): Promise<UpstreamAnswer> {
    const { clock, random } = this.#deps;
    const { secret, replyTimeoutMs } = this.#options;
    const latest = Math.min(deadline, clock.now() + replyTimeoutMs);
    let hop: HidingHop = { secret, authenticator: Buffer.alloc(0) };
    this.#outstanding += 1;
    try {
      const outcome = await this.#dialler.request((link) => {
        hop = { secret, authenticator: random.bytes(AUTHENTICATOR_BYTES) };
        const { authenticator } = hop;
        return link.send({ code, attributes: seal(hop), authenticator, deadline: latest, signal });
      });
      switch (outcome?.kind) {
        case "reply":
          return { kind: "reply", reply: outcome.reply, hop };
        case "timeout":
          return { kind: "silent" };
        case "closed":
          return { kind: outcome.written ? "silent" : "unsent" };
        case "aborted":
          return { kind: "aborted" };
        case "busy":
        case undefined:
          return { kind: "unsent" };
      }
    } finally {
      this.#outstanding -= 1;
    }
  }

  #changed(detail: string): void {
    const { state } = this;
    if (state === this.#reported) return;
    this.#reported = state;
    this.#deps.changed(state === "alive", detail);
  }
}

/** What the server is to us where it asks in reverse. */
function entryOf({ name, secret, triggers }: RadsecServerOptions): ClientEntry {
  return {
    ...triggers,
    name: `upstream:${name}`,
    transport: "tls",
    match: {},
    role: "hub",
    secret,
    reverse: new Set(),
    requireMessageAuthenticator: false, // BR-06
    limitProxyState: false,
    dynauthPort: 0,
    coalesce: "none",
    vendor: undefined,
    sharedNasIdentifiers: new Set(),
    linksMax: undefined,
  };
}
