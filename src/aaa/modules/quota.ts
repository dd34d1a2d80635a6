import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { octetText } from "../../store/octet-text.ts";
import { type AaaRequest, defineModule } from "../pipeline/types.ts";
import { type Reached, reachedOf, type Standing, strongest } from "../quota/rules.ts";

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
  instantiate({ message }, { quota: rules, instance }) {
    return {
      async authorize(request) {
        const { control, username } = request;
        if (rules === undefined || control.proxyTo !== undefined || username === undefined || request.heartbeat)
          return "noop";
        if (control.userKnown && control.user === undefined) return "noop";
        const standings = await rules.standings(username, nasIdentifierOf(request));
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

/** What the tightest time quota leaves until it disconnects. */
function secondsLeft(standings: readonly Standing[]): number | undefined {
  const left = standings.flatMap(({ rule, used, amount }) => {
    if (rule.counts !== "time" || amount === undefined) return [];
    return rule.thresholds
      .filter(({ action }) => action?.kind === "disconnect")
      .map(({ percent }) => Math.max(0, Math.floor((amount * percent) / 100 - used)));
  });
  return left.length === 0 ? undefined : Math.min(...left);
}
