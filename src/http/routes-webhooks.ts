import { z } from "zod";
import type { OutboxMessage } from "../store/outbox-types.ts";
import type { Routes } from "./api-context.ts";
import { checkFields, textField, wholeField } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { decodeCursor, encodeCursor, PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX } from "./page.ts";
import { readQuery } from "./parameters.ts";
import { refusal } from "./problem.ts";

const deadQuery = z.strictObject({
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
});

type WebhookDeps = Pick<HttpDeps, "clock"> & {
  readonly outbox: NonNullable<HttpDeps["outbox"]>;
  readonly books: NonNullable<HttpDeps["books"]>;
};

/** GET /v1/webhooks, GET /v1/webhooks/dead-letters, and POST to have dead letters delivered after all. */
export function webhookRoutes({ clock, outbox, books }: WebhookDeps): Routes {
  return {
    "/v1/webhooks": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const { waiting, dead } = await outbox.counts();
          const webhooks = books().webhooks.targets.map(({ name, delivered, failed, inFlight }) => {
            return { name, delivered, failed, in_flight: inFlight };
          });
          return context.json({ webhooks, waiting, dead_letters: dead });
        },
      },
    },
    "/v1/webhooks/dead-letters": {
      GET: {
        role: "monitor",
        answer: async (context) => {
          const { limit = PAGE_SIZE_DEFAULT, cursor } = checkFields(deadQuery, readQuery(context.env.incoming));
          const after = cursor === undefined ? undefined : decodeCursor(cursor);
          const { items, next } = await outbox.dead({ limit, after });
          const nextCursor = next === undefined ? null : encodeCursor(next);
          return context.json({ dead_letters: items.map(letterJson), next_cursor: nextCursor });
        },
      },
    },
    "/v1/webhooks/dead-letters/requeue": {
      POST: {
        role: "operator",
        answer: async (context) => {
          // One page a call: whoever has more asks again, and a slow store is not held up.
          const { items, next } = await outbox.dead({ limit: PAGE_SIZE_MAX });
          const nowMs = clock.wallMs();
          const revived = await Promise.all(items.map(({ messageId }) => outbox.revive(messageId, nowMs)));
          return context.json({ requeued: revived.filter(Boolean).length, more: next !== undefined });
        },
      },
    },
    "/v1/webhooks/dead-letters/:messageId/requeue": {
      POST: {
        role: "operator",
        answer: async (context) => {
          const messageId = context.req.param("messageId") ?? "";
          if (await outbox.revive(messageId, clock.wallMs())) return context.json({ requeued: 1, more: false });
          throw refusal("not-found", "there is no dead letter of that id", { message_id: messageId });
        },
      },
    },
  };
}

function letterJson(letter: OutboxMessage): Record<string, unknown> {
  const { messageId, target, topic, body, attempts, lastError, createdAtMs, buriedAtMs = createdAtMs } = letter;
  return {
    message_id: messageId,
    webhook: target,
    topic,
    attempts,
    last_error: lastError ?? null,
    created_at: new Date(createdAtMs).toISOString(),
    given_up_at: new Date(buriedAtMs).toISOString(),
    body: JSON.parse(body) as unknown,
  };
}
