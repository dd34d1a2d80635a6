import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { octetText } from "../../store/octet-text.ts";
import { type AaaRequest, defineModule, type QuotaServices, type ReturnCode } from "../pipeline/types.ts";
import { type Reached, reachedOf, strongest } from "../quota/rules.ts";
import { secondsLeft } from "../quota/seconds-left.ts";

const settings = z.strictObject({
  message: z
    .string()
    .min(1)
    .default("Your quota is used up")
    .meta({ description: "Reply-Message for who is rejected." }),
});

/** Turns away who has used up what the rules of section `quota` allow where they disconnect, lets in with the throttled rate
 *  where they throttle, and lets a time quota bound Session-Timeout. In `authorize` behind `users`, and in `postauth` behind `plan`. */
export const quota = defineModule({
  name: "quota",
  settings,
  components: () => ["authorize", "postauth"],
  instantiate({ message }, { quota: rules, instance }) {
    async function judge(request: AaaRequest, username: string, known: QuotaServices): Promise<ReturnCode> {
      const { control } = request;
      const standings = await known.standingsOn(username, nasIdentifierOf(request));
      const reached = strongest(reachedOf(standings));
      control.secondsLeft = secondsLeft(standings) ?? control.secondsLeft;
      if (reached === undefined) return "ok";
      if (reached.threshold.action?.kind === "disconnect") {
        // Only who knows the password learns it.
        request.refuse(`quota ${reached.standing.rule.name} is used up`, message);
        return "ok";
      }
      control.items.set(`${instance}.throttle`, reached);
      return "updated";
    }

    return {
      // At once where there is no rule: most logins wait for nothing here.
      authorize(request) {
        const { control, username } = request;
        if (rules?.hasRules !== true || control.proxyTo !== undefined || username === undefined) return "noop";
        if (request.heartbeat || (control.userKnown && control.user === undefined)) return "noop";
        return judge(request, username, rules);
      },
      postauth({ control, reply }) {
        const reached = control.items.get(`${instance}.throttle`) as Reached | undefined;
        if (reached === undefined) return "noop";
        const attributes = rules?.throttle(reached.standing.rule.name, reached.threshold.percent) ?? [];
        reply.supersede(attributes);
        return "updated";
      },
    };
  },
});

function nasIdentifierOf(request: AaaRequest): string | undefined {
  const value = request.octets(ATTRIBUTE.nasIdentifier);
  return value === undefined || value.length === 0 ? undefined : octetText(value);
}
