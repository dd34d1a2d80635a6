import type { ClientDirectory } from "./client-directory.ts";
import type { ClientEntry } from "./client-entry.ts";
import { UdpLink, type UdpLinkDeps } from "./udp-link.ts";

export interface UdpFallbacksDeps extends UdpLinkDeps {
  readonly nextLinkId: () => string;
}

/** What these links say instead of a listener: nothing but replies is received on them. */
const FALLBACK_LISTENER = "fallback:udp";

/** The UDP ports of routers that dial in over TLS (`udpFallback` of their entry): each a link of the same peer, open as long as
 *  the entry is there.
 *
 *  Identity stays with TLS (invariant 1): a packet from such an address proves nothing, and the hub asks there only while
 *  the router has no link. */
export class UdpFallbacks {
  readonly #deps: UdpFallbacksDeps;
  /** By the name of the entry. */
  readonly #links = new Map<string, UdpLink>();

  constructor(deps: UdpFallbacksDeps) {
    this.#deps = deps;
  }

  /** Opens and closes links, so that they are those of these entries. */
  apply(entries: readonly ClientEntry[], directory: ClientDirectory): void {
    const wanted = new Map(
      entries.flatMap((entry) => wantedOf(entry, directory)).map((each) => [each.entry.name, each]),
    );
    for (const [name, link] of this.#links) {
      const now = wanted.get(name);
      if (now?.address === link.source && now.peerKey === link.peerKey) link.setClient(now.entry);
      else link.close("client-removed", "its entry names another UDP port, or none");
    }
    for (const [name, each] of wanted) if (!this.#links.has(name)) this.#open(each);
  }

  stop(): void {
    for (const link of this.#links.values()) link.close("stopped");
  }

  #open({ entry, address, peerKey }: Wanted): void {
    const facts = {
      linkId: this.#deps.nextLinkId(),
      number: 0, // only packets that come in are told apart by it
      listener: FALLBACK_LISTENER,
      client: entry,
      source: address,
      fallbackOf: peerKey,
    };
    const link = new UdpLink(facts, this.#deps, () => void this.#links.delete(entry.name));
    this.#links.set(entry.name, link);
    link.prove(undefined);
  }
}

interface Wanted {
  /** With what counts towards the UDP port. */
  readonly entry: ClientEntry;
  readonly address: string;
  readonly peerKey: string;
}

function wantedOf(entry: ClientEntry, directory: ClientDirectory): Wanted[] {
  const peerKey = directory.onlyPeerKey(entry);
  if (entry.udpFallback === undefined || peerKey === undefined) return [];
  const { address, port, secret } = entry.udpFallback;
  return [{ entry: { ...entry, dynauthPort: port, secret }, address, peerKey }];
}
