import { apiPeerKey } from "../../dynauth/api-nas.ts";
import type { SharedSecret } from "../../radius/authenticator.ts";
import { OwnLink } from "../own-link.ts";

/** Where a request of an HTTP API comes from. */
export interface ApiOrigin {
  /** Name of the API: "django-freeradius". */
  readonly api: string;
  /** Of the HTTP caller. */
  readonly address: string;
  readonly calledStationId?: string | undefined;
  /** As the NAS writes it. */
  readonly nasIdentifier?: string | undefined;
  /** Canonical. */
  readonly nasAddress?: string | undefined;
}

/** What the modules see instead of the link of a NAS. */
export class ApiLink extends OwnLink {
  /** @param peerKey what guesses are counted by, or acct sessions are told apart by */
  constructor(origin: ApiOrigin, peerKey: string, { secret, vendor, nowMs }: ApiLinkFacts) {
    const { api, address, calledStationId, nasIdentifier } = origin;
    const name = apiPeerKey(api);
    const latin1 = nasIdentifier === undefined ? [] : [Buffer.from(nasIdentifier, "utf8").toString("latin1")];
    super({
      // The same hotspot and device is the same place to log in from, as openwisp-radius counts them.
      linkId: calledStationId === undefined ? name : `${name}:${calledStationId}`,
      name,
      peerKey,
      address,
      protocol: "HTTP",
      secret,
      connectedAtMs: nowMs,
      vendor,
      // The API proves no name: its acct sessions stay apart from those that the NAS itself reports.
      sharedNasIdentifiers: new Set(latin1),
    });
  }
}

export interface ApiLinkFacts {
  /** Of this process, known to nobody else: it hides passwords between the API and the modules. */
  readonly secret: SharedSecret;
  /** Whose attributes a plan is rendered in. */
  readonly vendor: string | undefined;
  readonly nowMs: number;
}
