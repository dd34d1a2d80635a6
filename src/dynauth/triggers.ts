import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, integerAttribute, proxyStates } from "../radius/attribute.ts";
import type { VendorFormatOf } from "../radius/attribute-place.ts";
import { CODE, hasComputedAuthenticator } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import type { Registry } from "../registry/registry.ts";
import type { Cancellation } from "../transport/cancellation.ts";
import type { ClientEntry } from "../transport/client-entry.ts";
import type { Link, Reply } from "../transport/link.ts";
import { timestampFault } from "../transport/request-rules.ts";
import type { Dynauth } from "./dynauth.ts";
import { ERROR_CAUSE } from "./error-cause.ts";
import type { Target } from "./exchange-request.ts";
import type { NoRoute, Outcome } from "./outcome.ts";
import { forwarded, passOn, type ProxyMark } from "./trigger-attributes.ts";
import { TriggerHops } from "./trigger-hops.ts";
import { mayReachNas, mayReachUser } from "./trigger-reach.ts";
import { type Route, routeOf, type TriggerRealms } from "./trigger-route.ts";

/** A Disconnect- or CoA-Request (or another request) that a DAC sends to the hub for a NAS; its authenticators are verified. */
export interface TriggerContext {
  readonly packet: Packet;
  /** Who asks. */
  readonly client: ClientEntry;
  readonly origin: { readonly address: string; readonly link?: Link };
  /** Fires when nobody can receive the reply any more. */
  readonly signal: Cancellation;
  /** What the listener answers when there is no route; default NAK. */
  readonly noRoute?: NoRouteAnswer | undefined;
  /** Kinds of links that it may go to; undefined: every kind. */
  readonly kinds?: ReadonlySet<Link["kind"]> | undefined;
}

export type TriggerHandler = (context: TriggerContext) => Promise<Reply>;

export interface NoRouteAnswer {
  readonly answer: "nak" | "silence" | "access-reject";
  /** Error-Cause of the NAK in place of 403 and 502. */
  readonly errorCause?: number | undefined;
}

export interface TriggerDeps {
  readonly clock: Clock;
  readonly dynauth: Pick<Dynauth, "exchange">;
  readonly registry: Pick<Registry, "record">;
  /** For Authenticators of codes that take a random one. */
  readonly random: Random;
  /** Eight octets or more that no other hub has: our Proxy-State (DP-31). */
  readonly mark: ProxyMark;
  /** How vendors lay out their attributes, for filters. */
  readonly formatOf: VendorFormatOf;
}

export interface TriggerOptions {
  /** How far Event-Timestamp may be from now (DP-04; RFC 5176 Section 6.3: 300 s). */
  readonly timestampWindowMs: number;
  /** Whether a request without Event-Timestamp is dropped (DP-05). */
  readonly requireEventTimestamp: boolean;
  /** Proxy-States that a request may carry: each proxy on its way has added one at most (DP-23, DP-31). */
  readonly hopsMax: number;
  readonly realms: TriggerRealms;
}

/** Requests of DACs, routed to NAS links and answered with what the NAS answered: CONFORMANCE section 18, "situation at the hub".
 *
 *  (1) Whatever fails here is a NAK or silence, never an ACK (DP-28).
 *  (2) A NAS that stays silent earns the DAC silence: a NAK would say that nothing happened (DP-32).
 *  (3) Nothing goes back to where it came from, and nothing that carries our own mark is passed on (DP-31). */
export class Triggers {
  readonly #deps: TriggerDeps;
  #options: TriggerOptions;

  constructor(deps: TriggerDeps, options: TriggerOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  apply(options: TriggerOptions): void {
    this.#options = options;
  }

  readonly handle: TriggerHandler = async (context) => {
    const { packet, origin } = context;
    // A UDP port has judged it before it looked for duplicates (DP-06).
    const fault = origin.link && timestampFault(packet, this.#deps.clock.wallMs(), this.#options);
    if (fault !== undefined) return { kind: "discard", reason: fault };
    const route = this.#route(context);
    if (route.kind === "nak") return nak(packet, route.errorCause);
    try {
      const { random, mark } = this.#deps;
      const { authenticator } = packet;
      const hops = hasComputedAuthenticator(packet.code)
        ? undefined
        : new TriggerHops(random, mark, { secret: context.client.secret, authenticator });
      return answer(context, await this.#exchange(context, route.target, hops), hops);
    } catch (error) {
      if (!(error instanceof HubError)) throw error;
      if (error.code === "ERR_STOPPED") return { kind: "discard", reason: "stopping" };
      return nak(packet, CAUSE_OF_ERROR[error.code] ?? ERROR_CAUSE.otherProxyProcessingError);
    }
  };

  #route({ packet, client }: TriggerContext): Route {
    const { attributes } = packet;
    const allowed = client.mayTrigger && (client.reach?.codes?.has(packet.code) ?? true);
    // DP-09: who is authenticated and may not gets NAK 502; so does what has been here before (DP-31).
    if (this.#loops(attributes) || !allowed || !mayReachUser(client.reach, attributes)) {
      return { kind: "nak", errorCause: ERROR_CAUSE.requestNotRoutable };
    }
    return routeOf(attributes, this.#options.realms);
  }

  /** DP-31: it has been here before, or seems to go round where marks get lost. */
  #loops(attributes: readonly Attribute[]): boolean {
    let hops = 0;
    for (const { type, value } of attributes) {
      if (type !== ATTRIBUTE.proxyState) continue;
      if (this.#deps.mark.isOurs(value)) return true;
      hops += 1;
    }
    return hops > this.#options.hopsMax;
  }

  #exchange(context: TriggerContext, target: Target, hops: TriggerHops | undefined): Promise<readonly Outcome[]> {
    const { packet, client, origin, signal, kinds } = context;
    const { registry, dynauth, mark, formatOf } = this.#deps;
    const cameFrom = (link: Link) =>
      link.linkId === origin.link?.linkId || (link.kind === "udp" && link.address === origin.address);
    return dynauth.exchange({
      code: packet.code,
      target,
      attributes: forwarded(packet.attributes, client.filter, formatOf),
      proxied: true,
      trigger: origin.link === undefined ? "udp" : "radsec",
      caller: client.name,
      signal,
      currentLinkId: origin.link?.linkId,
      refuses: (link, nas) =>
        cameFrom(link) ||
        kinds?.has(link.kind) === false ||
        !mayReachNas(client.reach, nas, link, registry.record(link.linkId)),
      rewrite: (attributes, link) => passOn(attributes, link, { secret: client.secret, mark }),
      perLink: hops?.perLink,
    });
  }
}

/** What the DAC hears of an exchange. */
function answer(
  { packet, noRoute }: TriggerContext,
  outcomes: readonly Outcome[],
  hops: TriggerHops | undefined,
): Reply {
  const outcome = outcomes.find(({ kind }) => kind !== "ack") ?? outcomes[0];
  if (outcome === undefined) return nak(packet, ERROR_CAUSE.requestNotRoutable);
  switch (outcome.kind) {
    case "ack":
    case "nak":
      if (outcome.protocolError) return nak(packet, causeOfProtocolError(outcome.errorCause)); // DP-27
      return {
        kind: "reply",
        code: outcome.replyCode,
        attributes: [
          ...(hops?.back(outcome.linkId, outcome.replyAttributes) ?? outcome.replyAttributes),
          ...proxyStates(packet.attributes),
        ],
        proxied: true, // the verdict of the NAS: an Access-Reject comes whole and at once (UL-16, UL-18)
      };
    case "timeout":
      return { kind: "discard", reason: "nas-silent" }; // DP-32
    case "busy":
      return nak(packet, ERROR_CAUSE.resourcesUnavailable);
    case "closed":
      // The NAS may have acted on what was written.
      if (outcome.mayHaveActed) return { kind: "discard", reason: "link-closed" };
      // DP-29: a router that has no such port supports no Disconnect or CoA (RFC 5176 Section 3.5).
      return nak(
        packet,
        outcome.why === "port-unreachable" ? ERROR_CAUSE.unsupportedExtension : ERROR_CAUSE.requestNotRoutable,
      );
    case "no-route":
      return unroutable(packet, outcome.why, noRoute);
  }
}

/** DP-12, DP-14: a NAS that nobody knows is 403, one that is known and away, or not for this caller, 502. */
function unroutable(packet: Packet, why: NoRoute["why"], noRoute: NoRouteAnswer | undefined): Reply {
  if (noRoute?.answer === "silence") return { kind: "discard", reason: "no-route" };
  if (noRoute?.answer === "access-reject") {
    return { kind: "reply", code: CODE.accessReject, attributes: proxyStates(packet.attributes) };
  }
  return nak(packet, noRoute?.errorCause ?? CAUSE_OF_NO_ROUTE[why]);
}

const CAUSE_OF_NO_ROUTE = {
  unknown: ERROR_CAUSE.nasIdentificationMismatch,
  offline: ERROR_CAUSE.requestNotRoutable,
  "not-permitted": ERROR_CAUSE.requestNotRoutable,
  "no-session": ERROR_CAUSE.sessionContextNotFound, // DP-30
  "nas-unnamed": ERROR_CAUSE.missingAttribute, // DP-16
} as const satisfies Record<NoRoute["why"], number>;

/** A NAK for 40 and 43; other codes have none, so silence. */
function nak(packet: Packet, errorCause: number): Reply {
  const code = NAK_OF.get(packet.code);
  if (code === undefined) return { kind: "discard", reason: "no-route" };
  const cause = integerAttribute(ATTRIBUTE.errorCause, errorCause);
  return { kind: "reply", code, attributes: [cause, ...proxyStates(packet.attributes)] };
}

const NAK_OF: ReadonlyMap<number, number> = new Map([
  [CODE.disconnectRequest, CODE.disconnectNak],
  [CODE.coaRequest, CODE.coaNak],
]);

const CAUSE_OF_ERROR: Readonly<Partial<Record<string, number>>> = {
  ERR_AMBIGUOUS: ERROR_CAUSE.requestNotRoutable,
  ERR_INPUT: ERROR_CAUSE.requestNotRoutable, // it names only a user, and no session index knows where that is
  ERR_UNDER_SPECIFIED: ERROR_CAUSE.multipleSessionSelectionUnsupported, // more acct sessions fit than one request may mean
  ERR_RADIUS_ATTRIBUTE: ERROR_CAUSE.invalidRequest, // PKT-11
};

/** 406 and 502 stay what they are, the rest is the proxy's own trouble (DP-27). */
function causeOfProtocolError(errorCause: number | undefined): number {
  const kept = errorCause === ERROR_CAUSE.unsupportedExtension || errorCause === ERROR_CAUSE.requestNotRoutable;
  return kept ? errorCause : ERROR_CAUSE.otherProxyProcessingError;
}
