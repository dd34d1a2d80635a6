import { z } from "zod";
import { HubError } from "../../errors.ts";
import { ATTRIBUTE, firstInteger, firstValue } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import { octetText } from "../../store/octet-text.ts";
import { type AaaRequest, defineModule, type QuotaServices, type ReturnCode } from "../pipeline/types.ts";
import { type Reached, reachedOf, type Standing, strongest } from "../quota/rules.ts";
import { secondsLeft } from "../quota/seconds-left.ts";

const SESSION_TIMEOUT = 27;

const settings = z.strictObject({
  message: z
    .string()
    .min(1)
    .default("Your quota is used up")
    .meta({ description: "Reply-Message for who is rejected." }),
});

/** Where a user stands: the strongest that the rules do about it, and the seconds that are left. */
interface Judgement {
  readonly reached: Reached | undefined;
  readonly secondsLeft: number | undefined;
}

/** Turns away who has used up what the rules of section `quota` allow where they disconnect, lets in with the throttled rate
 *  where they throttle, and lets a time quota bound Session-Timeout. In `authorize` behind `users`, and in `postauth` behind `plan`,
 *  where it also judges whom an upstream has let in. */
export const quota = defineModule({
  name: "quota",
  settings,
  components: () => ["authorize", "postauth"],
  instantiate({ message }, { quota: rules, instance }) {
    const key = `${instance}.throttle`;

    async function judge(request: AaaRequest, username: string, known: QuotaServices): Promise<ReturnCode> {
      const judgement = await judgementOn(username, request, known);
      if (judgement === undefined) return "handled";
      const { reached } = judgement;
      request.control.secondsLeft = judgement.secondsLeft ?? request.control.secondsLeft;
      if (reached === undefined) return "ok";
      if (disconnects(reached)) {
        // Only who knows the password learns it.
        request.refuse(reasonOf(reached), message);
        return "ok";
      }
      request.control.items.set(key, reached);
      return "updated";
    }

    /** The upstream has found the password right, and says under which name there will be accounting (RFC 2865 Section 5.1). */
    async function judgeAccepted(request: AaaRequest, known: QuotaServices): Promise<ReturnCode> {
      const { control, reply } = request;
      const given = firstValue(reply.attributes, ATTRIBUTE.userName);
      const username = given === undefined || given.length === 0 ? request.username : octetText(given);
      if (username === undefined) return "noop";
      const judgement = await judgementOn(username, request, known);
      if (judgement === undefined) return "handled";
      const { reached } = judgement;
      if (reached !== undefined && disconnects(reached)) {
        control.rejectReason = reasonOf(reached);
        reply.set("Reply-Message", message);
        return "reject";
      }
      const limit = firstInteger(reply.attributes, SESSION_TIMEOUT) ?? Number.POSITIVE_INFINITY;
      const left = judgement.secondsLeft ?? Number.POSITIVE_INFINITY;
      // 0 would be no limit for some routers.
      if (left < limit) reply.set("Session-Timeout", Math.max(1, left));
      return reached === undefined ? "ok" : throttle(request, reached);
    }

    function throttle({ reply }: AaaRequest, { standing, threshold }: Reached): ReturnCode {
      reply.supersede(rules?.throttle(standing.rule.name, threshold.percent) ?? []);
      return "updated";
    }

    return {
      // At once where there is no rule: most logins wait for nothing here. Whoever asks is judged, also under a name that nobody has:
      // the time of the answer does not tell who is known.
      authorize(request) {
        const { control, username } = request;
        if (rules?.hasRules !== true || control.proxyTo !== undefined || username === undefined) return "noop";
        return request.heartbeat ? "noop" : judge(request, username, rules);
      },
      postauth(request) {
        const { control, reply } = request;
        if (rules?.hasRules !== true || reply.code === CODE.accessReject || request.heartbeat) return "noop";
        const reached = control.items.get(key) as Reached | undefined;
        if (reached !== undefined) return throttle(request, reached);
        return control.proxyTo === undefined ? "noop" : judgeAccepted(request, rules);
      },
    };
  },
});

/** Undefined while the store is down: no answer then, so that the NAS asks another server. */
async function judgementOn(
  username: string,
  request: AaaRequest,
  known: QuotaServices,
): Promise<Judgement | undefined> {
  let standings: readonly Standing[];
  try {
    standings = await known.standingsOn(username, nasIdentifierOf(request));
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return undefined;
  }
  return { reached: strongest(reachedOf(standings)), secondsLeft: secondsLeft(standings) };
}

function disconnects({ threshold }: Reached): boolean {
  return threshold.action?.kind === "disconnect";
}

function reasonOf({ standing }: Reached): string {
  return `quota ${standing.rule.name} is used up`;
}

function nasIdentifierOf(request: AaaRequest): string | undefined {
  const value = request.octets(ATTRIBUTE.nasIdentifier);
  return value === undefined || value.length === 0 ? undefined : octetText(value);
}
