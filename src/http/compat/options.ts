/** Section `http.compat` of the configuration: APIs of other systems that the hub answers in their place. */
export interface CompatOptions {
  /** POST /api/auth/radius-check; undefined: off. */
  readonly radiusCheck: { readonly token: string } | undefined;
  /** /api/v1/…; undefined: off. */
  readonly djangoFreeradius: { readonly token: string } | undefined;
  /** /api/v1/freeradius/…; none: off. */
  readonly organizations: readonly Organization[];
  /** Reply-Message of openwisp-radius's authorize for who has used up a quota. */
  readonly quotaMessage: string;
  /** A refused user is 401 with Auth-Type Reject, and not 200 with an empty body. */
  readonly authorizeReject: boolean;
  /** authorize of django-freeradius answers the attributes of the plan as well. */
  readonly replyAttributes: boolean;
  /** Whose attributes a plan is rendered in where the NAS has no link that says. */
  readonly vendor: string | undefined;
  /** /api/v1/account/token/ makes tokens that are good once as a password; undefined: off. */
  readonly userTokens: { readonly lifetimeMs: number } | undefined;
  /** How long the results of logins are kept. */
  readonly postAuthMs: number;
}

/** One organization of openwisp-radius. */
export interface Organization {
  readonly name: string;
  readonly uuid: string;
  readonly token: string;
  /** Networks of the FreeRADIUS servers that may call; none: every address that `http.clients` admits. */
  readonly allowedHosts: readonly string[];
  /** A device with an open acct session is let in elsewhere by its MAC address alone. */
  readonly macRoaming: boolean;
}

/** What the projects themselves advise: longer than 15 characters. */
export const COMPAT_TOKEN_LENGTH_MIN = 16;
