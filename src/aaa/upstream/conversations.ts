import { LRUCache } from "lru-cache";
import { ATTRIBUTE, type Attribute, firstValue } from "../../radius/attribute.ts";

/** Rounds of EAP and other challenges that are remembered; beyond it the oldest go, and their users begin again. */
const CONVERSATIONS_MAX = 50_000;

/** Which server a State came from: nobody else can go on with that conversation (RFC 3579 Section 2.6.1). */
export class Conversations {
  readonly #servers = new LRUCache<string, string>({ max: CONVERSATIONS_MAX });

  /** A server has challenged: the router comes back with its State.
   *  @param peerKey of the router, since two servers may think of the same State */
  remember(peerKey: string, challenge: readonly Attribute[], server: string): void {
    const state = firstValue(challenge, ATTRIBUTE.state);
    if (state !== undefined) this.#servers.set(keyOf(peerKey, state), server);
  }

  serverOf(peerKey: string, request: readonly Attribute[]): string | undefined {
    const state = firstValue(request, ATTRIBUTE.state);
    return state === undefined ? undefined : this.#servers.get(keyOf(peerKey, state));
  }
}

function keyOf(peerKey: string, state: Buffer): string {
  return `${state.toString("latin1")} ${peerKey}`;
}
