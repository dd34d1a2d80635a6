import { z } from "zod";
import { ERROR_CAUSE } from "../../dynauth/error-cause.ts";
import type { Outcome } from "../../dynauth/outcome.ts";
import { HubError } from "../../errors.ts";
import { ATTRIBUTE, attribute, firstValue } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { callingStationKey } from "../../store/calling-station.ts";
import { octetText, textOctets } from "../../store/octet-text.ts";
import { PAGE_ITEMS_MAX } from "../../store/types.ts";
import { type Device, LoginSlots } from "./login-slots.ts";
import { type AaaRequest, defineModule, type ModuleServices, type ReturnCode } from "../pipeline/types.ts";

const settings = z.strictObject({
  limit: z
    .int()
    .min(1)
    .optional()
    .meta({ description: "Acct sessions at once where neither the user nor the plan says; without it, any number." }),
  onLimit: z
    .enum(["reject", "disconnect-oldest"])
    .default("reject")
    .meta({ description: "What happens to one more: it is rejected, or the oldest is disconnected for it." }),
  verifyAfterSeconds: z
    .int()
    .min(0)
    .default(300)
    .meta({ description: "An acct session that was silent for so long is asked for at its NAS before it counts." }),
  reserveSeconds: z
    .int()
    .min(0)
    .max(60)
    .default(5)
    .meta({ description: "How long a login counts while its accounting Start has not come; 0: not at all." }),
  message: z
    .string()
    .min(1)
    .default("You are already logged in - access denied")
    .meta({ description: "Reply-Message for who is rejected." }),
});

/** Acct sessions that are asked about or disconnected for one login; more are counted as they stand. */
const ASKED_MAX = 16;
/** Left of the call's time when the routers have been asked. */
const MARGIN_MS = 250;

/** Simultaneous-Use: no more acct sessions of a user at once than the plan allows. Of two logins at the same moment one gets in, on
 *  one node; on two nodes both can: there an acct session counts from its accounting Start on. */
export const checksimul = defineModule({
  name: "checksimul",
  settings,
  components: () => ["checksimul"],
  instantiate(options, services) {
    const slots = new LoginSlots(options.reserveSeconds * 1_000);
    return {
      // At once for who has no limit: most logins wait for nothing here.
      checksimul(request) {
        const { control } = request;
        const username = accountedAs(request);
        const limit = control.simultaneousUse ?? control.user?.values.simultaneousUse ?? options.limit;
        if (services.store === undefined || limit === undefined || username === undefined || request.heartbeat)
          return "noop";
        return decide(request, { username, limit, slots }, options, services);
      },
    };
  },
});

/** Whose acct session it will be: an upstream that gives another name in its Access-Accept has accounting under that one
 *  (RFC 2865 Section 5.1). */
function accountedAs({ reply, username }: AaaRequest): string | undefined {
  const given = firstValue(reply.attributes, ATTRIBUTE.userName);
  return given === undefined || given.length === 0 ? username : octetText(given);
}

async function decide(
  request: AaaRequest,
  { username, limit, slots }: { readonly username: string; readonly limit: number; readonly slots: LoginSlots },
  { onLimit, verifyAfterSeconds, message }: z.output<typeof settings>,
  services: ModuleServices,
): Promise<ReturnCode> {
  let open: readonly AcctSession[];
  try {
    open = (await services.store?.acctSessions.find({ username, open: true }, { limit: PAGE_ITEMS_MAX }))?.items ?? [];
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return "handled"; // the store is down: no answer, so that the NAS asks another server
  }
  const device = deviceOf(request);
  /** The last look and the taking are one step: nobody comes in between. */
  const takes = (count: number): boolean => {
    const nowMs = services.clock.wallMs();
    if (count + slots.others(username, device, open, nowMs) >= limit) return false;
    slots.take(username, device, nowMs);
    return true;
  };
  const others = open.filter((each) => !isSameDevice(each, request));
  if (takes(others.length)) return "ok";
  const silentBeforeMs = services.clock.wallMs() - verifyAfterSeconds * 1_000;
  const alive = await stillOpen(others, silentBeforeMs, request, services);
  if (takes(alive.length)) return "ok";
  if (onLimit === "disconnect-oldest") {
    // The store lists the newest first, also of those that began in the same second.
    const oldest = alive.toReversed().toSorted((one, other) => one.startedAtMs - other.startedAtMs);
    const going = oldest.slice(0, Math.max(0, alive.length - limit + 1));
    if ((await disconnected(going, request, services)) && takes(alive.length - going.length)) return "ok";
  }
  request.reply.set("Reply-Message", message);
  return "reject";
}

function deviceOf(request: AaaRequest): Device {
  const station = request.octets(ATTRIBUTE.callingStationId);
  const nasIdentifier = request.octets(ATTRIBUTE.nasIdentifier);
  return {
    station: station && callingStationKey(octetText(station)),
    nasIdentifier: nasIdentifier && octetText(nasIdentifier),
  };
}

/** The device comes back to the NAS that has not heard yet that it was gone. */
function isSameDevice({ facts }: AcctSession, request: AaaRequest): boolean {
  const station = request.octets(ATTRIBUTE.callingStationId);
  if (station === undefined || facts.callingStationId === undefined) return false;
  if (callingStationKey(facts.callingStationId) !== callingStationKey(octetText(station))) return false;
  const nasIdentifier = request.octets(ATTRIBUTE.nasIdentifier);
  if (nasIdentifier !== undefined) return facts.nasIdentifier === octetText(nasIdentifier);
  return facts.linkId === request.link.linkId;
}

/** Those of them that count. One that was silent for long is asked for: only a NAS that says it does not know it takes it out. */
async function stillOpen(
  acctSessions: readonly AcctSession[],
  silentBeforeMs: number,
  request: AaaRequest,
  services: ModuleServices,
): Promise<readonly AcctSession[]> {
  const silent = acctSessions.filter(({ heardAtMs }) => heardAtMs < silentBeforeMs).slice(0, ASKED_MAX);
  const outcomes = await Promise.all(silent.map((each) => ask(CODE.coaRequest, each, request, services)));
  const gone = new Set(silent.filter((_, index) => isGone(outcomes[index])));
  return acctSessions.filter((each) => !gone.has(each));
}

async function disconnected(
  acctSessions: readonly AcctSession[],
  request: AaaRequest,
  services: ModuleServices,
): Promise<boolean> {
  if (acctSessions.length > ASKED_MAX) return false;
  const outcomes = await Promise.all(acctSessions.map((each) => ask(CODE.disconnectRequest, each, request, services)));
  return outcomes.every((outcome) => outcome?.kind === "ack" || isGone(outcome));
}

/** A CoA-Request that changes nothing asks whether the NAS knows the acct session (RFC 5176 Section 3.5: 503 if not). */
async function ask(
  code: number,
  acctSession: AcctSession,
  request: AaaRequest,
  { dynauth, clock, instance }: ModuleServices,
): Promise<Outcome | undefined> {
  const { username, acctSessionId, key } = acctSession;
  try {
    const [outcome] = await dynauth.exchange({
      code,
      target: {},
      acctSessionKey: key,
      attributes: [
        attribute(ATTRIBUTE.userName, textOctets(username ?? "")),
        attribute(ATTRIBUTE.acctSessionId, textOctets(acctSessionId)),
      ],
      timeoutMs: Math.max(1, request.deadline - clock.now() - MARGIN_MS),
      trigger: instance,
      currentLinkId: request.link.linkId,
    });
    return outcome;
  } catch (error) {
    if (error instanceof HubError) return undefined; // it counts as open
    throw error;
  }
}

function isGone(outcome: Outcome | undefined): boolean {
  return outcome?.kind === "nak" && outcome.errorCause === ERROR_CAUSE.sessionContextNotFound;
}
