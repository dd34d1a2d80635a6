import type { z } from "zod";
import { WEBHOOK_TOPICS, type WebhooksOptions } from "../../aaa/webhooks/options.ts";
import { reportDuplicates, section, withRules } from "../section.ts";
import { choice, count, duration, list, name, oneOrMany, text } from "../values.ts";

/** An http: or https: address. */
export function httpUrl(description: string) {
  return text(description).refine(
    (value) => URL.canParse(value) && /^https?:$/.test(new URL(value).protocol),
    "must be an http:// or https:// address",
  );
}

const target = section({
  name: name("Name of the target in logs and dead letters."),
  url: httpUrl("Where messages are posted."),
  secret: text('Key of the signature (HMAC-SHA-256); "whsec_" and base64, or text.'),
  topics: oneOrMany("What it is told.", choice("A topic.", WEBHOOK_TOPICS)).prefault([...WEBHOOK_TOPICS]),
  timeout: duration("How long an answer is awaited.", { min: "100ms", max: "60s" }).prefault("10s"),
  concurrency: count("Deliveries at once.", 1, 64).default(4),
  retry: section({
    floor: duration("Before the second attempt; doubled for each.", { min: "100ms", max: "1h" }).prefault("1s"),
    cap: duration("The longest time between two attempts.", { min: "1s", max: "24h" }).prefault("1h"),
    times: count("Attempts in all, then it is a dead letter.", 1, 100).default(12),
  })
    .prefault({})
    .meta({ description: "Repetition of deliveries." }),
}).meta({ description: "Where webhooks go." });

export const webhooksSection = withRules(list("Targets of webhooks.", target), (targets, report) =>
  reportDuplicates(targets, "name", "target name", report),
);

export function webhooksOptions(targets: z.output<typeof webhooksSection>): WebhooksOptions {
  return {
    targets: targets.map(({ topics, timeout, retry, ...rest }) => ({
      ...rest,
      topics: new Set(topics),
      timeoutMs: timeout,
      retry: { floorMs: retry.floor, capMs: retry.cap, attemptsMax: retry.times },
    })),
  };
}
