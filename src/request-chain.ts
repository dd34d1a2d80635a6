import type { Pipeline } from "./aaa/pipeline/pipeline.ts";
import { answerUnserved } from "./aaa/unserved.ts";
import type { Bookkeeping } from "./bookkeeping.ts";
import type { NoRouteAnswer, Triggers } from "./dynauth/triggers.ts";
import { CODE } from "./radius/codes.ts";
import type { Link, Reply, RequestContext, RequestHandler } from "./transport/link.ts";

export interface RequestChainParts {
  readonly triggers: Triggers;
  /** Passes a request on to an upstream server; undefined when none is meant for it. */
  readonly forward: (context: RequestContext) => Promise<Reply> | undefined;
  /** Kinds of links that a request of an upstream may go to. */
  readonly reverseKinds: () => ReadonlySet<Link["kind"]>;
  /** The modules of hub.yaml. */
  readonly pipeline: Pick<Pipeline, "answer" | "plainAccounting">;
  /** Answers what is not forwarded instead of the modules. */
  readonly served?: RequestHandler | undefined;
  /** Stores accounting; undefined where it is switched off. */
  readonly books?: Pick<Bookkeeping, "answer"> | undefined;
}

/** Who answers what: the one place that knows every part which answers requests. */
export class RequestChain {
  readonly #parts: RequestChainParts;

  constructor(parts: RequestChainParts) {
    this.#parts = parts;
  }

  /** What a peer sends over TLS or TCP, or to a UDP port for Access and Accounting. */
  readonly answer: RequestHandler = (context) => {
    const { packet, link } = context;
    if (isDynamic(packet.code)) return link.client.mayTrigger ? this.#trigger(context) : answerUnserved(context);
    const { forward, books, pipeline, served } = this.#parts;
    const isPlain = packet.code === CODE.accountingRequest && pipeline.plainAccounting;
    if (!isPlain && served === undefined) return pipeline.answer(context);
    const upstream = forward(context);
    // What is forwarded is stored too: proxied routers are in the index and under quota.
    if (packet.code === CODE.accountingRequest && books !== undefined) return books.answer(context, upstream);
    return upstream ?? (served ?? answerUnserved)(context);
  };

  /** What a DAC sends to a port for triggers.
   *  @param noRoute what its listener answers now */
  trigger(noRoute: () => NoRouteAnswer | undefined): RequestHandler {
    return (context) => this.#trigger(context, { noRoute: noRoute() });
  }

  /** What an upstream server asks in reverse on a link that the hub has opened: any request there is for a NAS. */
  readonly reverse: RequestHandler = (context) => {
    if (!context.link.client.mayTrigger) return answerUnserved(context);
    return this.#trigger(context, { kinds: this.#parts.reverseKinds() });
  };

  #trigger(
    { packet, link, signal }: RequestContext,
    how: { readonly noRoute?: NoRouteAnswer | undefined; readonly kinds?: ReadonlySet<Link["kind"]> } = {},
  ): Promise<Reply> {
    const origin = link.kind === "udp" ? { address: link.address } : { address: link.address, link };
    return this.#parts.triggers.handle({ packet, client: link.client, origin, signal, ...how });
  }
}

function isDynamic(code: number): boolean {
  return code === CODE.disconnectRequest || code === CODE.coaRequest;
}
