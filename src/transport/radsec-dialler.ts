import { createSecureContext, type SecureContext } from "node:tls";
import type { LinkOutcome } from "./link.ts";
import { OutboundLink, type OutboundLinkDeps, type OutboundLinkOptions } from "./outbound-link.ts";
import { type ListenerTlsOptions, pskContextOptions, readMaterial, secureContextOptions } from "./tls-context.ts";
import type { StreamLink } from "./stream-link.ts";

export interface RadsecDiallerDeps extends OutboundLinkDeps {
  /** A link may have become usable, or has ended; `detail` says why, for the operator. */
  readonly changed: (detail: string) => void;
}

export interface RadsecDiallerOptions extends OutboundLinkOptions {
  /** What the hub shows and trusts; undefined with `psk`. */
  readonly tls: ListenerTlsOptions | undefined;
  /** Links that are kept open. */
  readonly links: number;
}

/** Keeps RADIUS/TLS links to one server open and sends requests over the least busy of them.
 *  That a request stays unanswered says nothing about a link: only its watchdog, TLS and TCP end it (WD-06). */
export class RadsecDialler {
  readonly #deps: RadsecDiallerDeps;
  readonly #options: RadsecDiallerOptions;
  #links: readonly OutboundLink[] = [];

  constructor(deps: RadsecDiallerDeps, options: RadsecDiallerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Links that requests may go over now. */
  get usable(): readonly StreamLink[] {
    return this.#links.map(({ usable }) => usable).filter((link) => link !== undefined);
  }

  /** @throws {HubError} ERR_PKI for certificates, keys or CAs that can not be used */
  start(): void {
    const context = this.#secureContext(this.#options.tls);
    const { changed, ...deps } = this.#deps;
    this.#links = Array.from(
      { length: this.#options.links },
      () => new OutboundLink(deps, this.#options, context, changed),
    );
    for (const link of this.#links) link.start();
  }

  /** New connections show and trust this; those that are open stay.
   *  @throws {HubError} ERR_PKI, and then nothing has changed */
  useTls(tls: ListenerTlsOptions): void {
    const context = this.#secureContext(tls);
    for (const link of this.#links) link.useSecureContext(context);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
  }

  /** Sends a request over the least busy link; over another one if that closed, which it may at any time (CON-08).
   *  @param send writes it to a link: called again for each link, because a request that moves gets a new Authenticator
   *  (CON-09, CRY-04). @returns undefined when there is no link to try */
  async request(send: (link: StreamLink) => Promise<LinkOutcome>): Promise<LinkOutcome | undefined> {
    const tried = new Set<StreamLink>();
    let outcome: LinkOutcome | undefined;
    for (;;) {
      const link = leastBusy(this.usable.filter((each) => !tried.has(each)));
      if (link === undefined) return outcome;
      tried.add(link);
      outcome = await send(link);
      const mayMove = outcome.kind === "closed" || (outcome.kind === "busy" && outcome.why === "queue-full");
      if (!mayMove) return outcome;
    }
  }

  #secureContext(tls: ListenerTlsOptions | undefined): SecureContext {
    const { name, psk } = this.#options;
    if (psk !== undefined) return createSecureContext(pskContextOptions(psk.tls));
    if (tls === undefined) throw new TypeError(`${name} has neither certificates nor a PSK`);
    return createSecureContext(readMaterial(name, () => secureContextOptions(tls)));
  }
}

function leastBusy(links: readonly StreamLink[]): StreamLink | undefined {
  let best: StreamLink | undefined;
  for (const link of links) {
    if (best === undefined || link.inFlight + link.queued < best.inFlight + best.queued) best = link;
  }
  return best;
}
