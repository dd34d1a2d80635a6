import type { Random } from "../clock.ts";
import type { Attribute } from "../radius/attribute.ts";
import type { HidingHop } from "../radius/hidden.ts";
import { AUTHENTICATOR_BYTES } from "../radius/packet.ts";
import { rehide, withChapChallenge } from "../radius/rehide.ts";
import type { Link, LinkRequest } from "../transport/link.ts";
import { ofLink, type ProxyMark } from "./trigger-attributes.ts";

/** The hops of one trigger whose Request Authenticator is random, an Access-Request: its values are hidden with that. Each link
 *  that it is tried on gets a new one, with the values hidden anew (CRY-04, CRY-15), and what a reply hides comes back likewise. */
export class TriggerHops {
  readonly #random: Random;
  readonly #mark: ProxyMark;
  readonly #dac: HidingHop;
  /** The hop to each link that it was tried on. */
  readonly #byLink = new Map<string, HidingHop>();

  /** @param dac the hop from the DAC: its secret, and the Authenticator of its request */
  constructor(random: Random, mark: ProxyMark, dac: HidingHop) {
    this.#random = random;
    this.#mark = mark;
    this.#dac = dac;
  }

  readonly perLink = (link: Link): Pick<LinkRequest, "authenticator" | "rewrite"> => {
    const authenticator = this.#random.bytes(AUTHENTICATOR_BYTES);
    const hop = { secret: link.client.secret, authenticator };
    this.#byLink.set(link.linkId, hop);
    const rewrite = (attributes: readonly Attribute[]) =>
      ofLink(rehide(withChapChallenge(attributes, this.#dac.authenticator), this.#dac, hop), link, this.#mark);
    return { authenticator, rewrite };
  };

  /** The attributes of a reply that came on a link, as the DAC can read them. */
  back(linkId: string, attributes: readonly Attribute[]): readonly Attribute[] {
    const hop = this.#byLink.get(linkId);
    return hop === undefined ? attributes : rehide(attributes, hop, this.#dac);
  }
}
