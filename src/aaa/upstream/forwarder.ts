import type { Clock } from "../../clock.ts";
import type { ProxyMark } from "../../dynauth/trigger-attributes.ts";
import { HubError } from "../../errors.ts";
import { ATTRIBUTE, type Attribute, proxyStates } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { HidingHop } from "../../radius/hidden.ts";
import type { Packet } from "../../radius/packet.ts";
import { rehide, withChapChallenge } from "../../radius/rehide.ts";
import type { Cancellation } from "../../transport/cancellation.ts";
import type { Reply, RequestContext } from "../../transport/link.ts";
import { protocolErrorAttributes } from "../unserved.ts";
import { Conversations } from "./conversations.ts";
import type { Pool } from "./pool.ts";
import type { UpstreamAnswer, UpstreamServer } from "./upstream-server.ts";

export interface ForwarderDeps {
  readonly clock: Clock;
  /** Our Proxy-State: what carries it has been here before. */
  readonly mark: ProxyMark;
  /** The pool that a request is for. */
  readonly poolOf: (context: RequestContext) => Pool | undefined;
}

const REQUEST_NOT_ROUTABLE = 502;

/** Passes requests on to upstream servers and their answers back.
 *
 *  (1) A server gets a request once (its own retransmissions apart); the next one of the pool gets it only when the one
 *      before has failed, under a new Identifier and Authenticator, within the deadline of the first.
 *  (2) An answer goes back to the link that asked, or nowhere (CON-11). Without an answer there is none: an accounting
 *      record is acknowledged by whoever stored it (UL-10, invariant 6), and a user is let in or rejected by whoever knows. */
export class Forwarder {
  readonly #deps: ForwarderDeps;
  readonly #conversations = new Conversations();

  constructor(deps: ForwarderDeps) {
    this.#deps = deps;
  }

  /** Undefined when the request is not for any pool: the next handler answers it. */
  readonly forward = (context: RequestContext): Promise<Reply> | undefined => {
    const pool = this.#deps.poolOf(context);
    return pool === undefined ? undefined : this.forwardTo(context, pool);
  };

  /** Passes a request on to this pool, whatever it is for. */
  forwardTo(context: RequestContext, pool: Pool): Promise<Reply> {
    return this.#ask(context, pool);
  }

  async #ask(context: RequestContext, pool: Pool): Promise<Reply> {
    const { packet, link, signal } = context;
    const { clock, mark } = this.#deps;
    // RFC 2865 Section 2.3 asks for care to avoid loops; this is where they end.
    if (packet.attributes.some((each) => isProxyState(each) && mark.isOurs(each.value))) return unroutable(context);
    const deadline = clock.now() + pool.timeoutMs;
    const knowing = this.#conversations.serverOf(link.peerKey, packet.attributes);
    const tried = new Set<UpstreamServer>();
    let reached = false;
    while (clock.now() < deadline && !signal.aborted) {
      const server = pool.pick(tried, knowing);
      if (server === undefined) break;
      tried.add(server);
      const answer = await this.#askServer(server, context, deadline, signal);
      if (answer === undefined) return { kind: "discard", reason: "not-forwardable" };
      // PE-03: a Protocol-Error is about this hop; another server may do better.
      if (answer.kind === "reply" && answer.reply.code !== CODE.protocolError) {
        return this.#answered(context, server, answer.reply, answer.hop);
      }
      reached ||= answer.kind === "silent";
    }
    if (signal.aborted) return { kind: "discard", reason: "requester-gone" };
    return reached ? { kind: "discard", reason: "upstream-silent" } : unroutable(context);
  }

  /** Undefined for what can not be forwarded: too long with what this hop adds, or two of an attribute that stands once. */
  async #askServer(
    server: UpstreamServer,
    { packet, link }: RequestContext,
    deadline: number,
    signal: Cancellation,
  ): Promise<UpstreamAnswer | undefined> {
    const inbound = { secret: link.client.secret, authenticator: packet.authenticator };
    const seal = (outbound: HidingHop) => forwarded(packet, inbound, outbound, this.#deps.mark.attribute);
    try {
      return await server.ask({ code: packet.code, seal, deadline, signal });
    } catch (error) {
      if (error instanceof HubError) return undefined;
      throw error;
    }
  }

  #answered({ packet, link }: RequestContext, server: UpstreamServer, reply: Packet, hop: HidingHop): Reply {
    if (reply.code === CODE.accessChallenge) {
      this.#conversations.remember(link.peerKey, reply.attributes, server.name);
    }
    const inbound = { secret: link.client.secret, authenticator: packet.authenticator };
    const kept = reply.attributes.filter((each) => !isProxyState(each) && !isMessageAuthenticator(each));
    const attributes = packet.code === CODE.accessRequest ? rehide(kept, hop, inbound) : kept;
    // UL-15: what the router sent, in order and unchanged; ours stays behind.
    return {
      kind: "reply",
      code: reply.code,
      attributes: [...attributes, ...proxyStates(packet.attributes)],
      proxied: true,
    };
  }
}

/** The attributes of a request for the next hop: octets and order kept (PKT-05, PKT-08), hidden values hidden again (CRY-15),
 *  our Proxy-State last (RFC 2865 Section 5.33). Message-Authenticator belongs to the hop and is put first there (BR-07). */
function forwarded(packet: Packet, from: HidingHop, to: HidingHop, mark: Attribute): readonly Attribute[] {
  const kept = packet.attributes.filter((each) => !isMessageAuthenticator(each));
  if (packet.code !== CODE.accessRequest) return [...kept, mark];
  return [...rehide(withChapChallenge(kept, packet.authenticator), from, to), mark];
}

/** Nobody was reached. A router behind TLS hears so at once (PE-01); over UDP an old one would not understand (PE-06), and an
 *  accounting record is better kept and sent again. */
function unroutable({ packet, link }: RequestContext): Reply {
  if (link.kind !== "tls" || packet.code !== CODE.accessRequest) return { kind: "discard", reason: "no-upstream" };
  const attributes = [...protocolErrorAttributes(packet.code, REQUEST_NOT_ROUTABLE), ...proxyStates(packet.attributes)];
  return { kind: "reply", code: CODE.protocolError, attributes };
}

function isProxyState({ type }: Attribute): boolean {
  return type === ATTRIBUTE.proxyState;
}

function isMessageAuthenticator({ type }: Attribute): boolean {
  return type === ATTRIBUTE.messageAuthenticator;
}
