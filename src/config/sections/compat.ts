import type { z } from "zod";
import { type CompatOptions, COMPAT_TOKEN_LENGTH_MIN } from "../../http/compat/options.ts";
import { reportDuplicates, section, withRules } from "../section.ts";
import { duration, flag, list, name, network, text } from "../values.ts";

const UUID = "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$";

/** What fits into a header and a query, and is too long to be guessed. */
const token = text("Who shows it may call.")
  .min(COMPAT_TOKEN_LENGTH_MIN, `must have at least ${COMPAT_TOKEN_LENGTH_MIN} characters`)
  .regex(/^[A-Za-z0-9\-._~]+$/, "must be letters, digits and - . _ ~");

const organization = section({
  name: name("Of the organization, for the log."),
  uuid: text("Its UUID, which FreeRADIUS sends with the token.", { pattern: UUID }).regex(
    new RegExp(UUID),
    'must be a UUID such as "0e4f12b5-9a6d-4f2b-8a53-c1a0a2b1a3f7"',
  ),
  token,
  allowedHosts: list("Networks of the FreeRADIUS servers that may call; [] is every one.", network("A network.")),
  macRoaming: flag("Whether a device that is online is let in at other hotspots by its MAC address.").default(false),
}).meta({ description: "An organization of openwisp-radius." });

export const compatSection = section({
  radiusCheck: section({ token: token.optional() })
    .prefault({})
    .meta({ description: "POST /api/auth/radius-check; off without a token." }),
  djangoFreeradius: section({ token: token.optional() })
    .prefault({})
    .meta({ description: "The API of django-freeradius under /api/v1/; off without a token." }),
  openwispRadius: section({
    organizations: withRules(list("Who may call; [] is off.", organization), (organizations, report) =>
      reportDuplicates(organizations, "uuid", "UUID", report),
    ),
    quotaMessage: text("Reply-Message of authorize for who has used up a quota.")
      .max(253)
      .default("Your maximum daily usage time has been reached"),
  })
    .prefault({})
    .meta({ description: "The API of openwisp-radius under /api/v1/freeradius/." }),
  authorizeReject: flag("Whether a refused user is 401 and not 200 with an empty body.").default(false),
  replyAttributes: flag("Whether authorize of django-freeradius answers the attributes of the plan too.").default(
    false,
  ),
  vendor: text("Vendor whose attributes a plan becomes where the NAS has no link or entry that says.").optional(),
  userTokens: flag("Whether users can get tokens that are good once as their password.").default(false),
  userTokenLifetime: duration("How long such a token is good.", { min: "1m", max: "365d" }).prefault("24h"),
  postAuthRetention: duration("How long results of logins are kept.", { min: "1h", max: "3650d" }).prefault("30d"),
});

export function compatOptions(values: z.output<typeof compatSection>): CompatOptions {
  const { radiusCheck, djangoFreeradius, openwispRadius } = values;
  return {
    radiusCheck: radiusCheck.token === undefined ? undefined : { token: radiusCheck.token },
    djangoFreeradius: djangoFreeradius.token === undefined ? undefined : { token: djangoFreeradius.token },
    organizations: openwispRadius.organizations.map((each) => ({ ...each, uuid: each.uuid.toLowerCase() })),
    quotaMessage: openwispRadius.quotaMessage,
    authorizeReject: values.authorizeReject,
    replyAttributes: values.replyAttributes,
    vendor: values.vendor,
    userTokens: values.userTokens ? { lifetimeMs: values.userTokenLifetime } : undefined,
    postAuthMs: values.postAuthRetention,
  };
}
