import { errorCauseName } from "../dynauth/error-cause.ts";
import type { Outcome, OutcomeKind } from "../dynauth/outcome.ts";
import type { Attribute } from "../radius/attribute.ts";
import { codeName } from "../radius/codes.ts";
import type { AttributeNames } from "./options.ts";
import type { ProblemCode } from "./problem.ts";

/** How an outcome is answered: 200, or a problem. */
export function answerCode(outcome: Outcome): "ok" | ProblemCode {
  return outcome.kind === "no-route" && outcome.why === "no-session" ? "no-session" : ANSWERS[outcome.kind];
}

const ANSWERS = {
  ack: "ok",
  nak: "nak",
  timeout: "timeout",
  "no-route": "no-route",
  busy: "busy",
  closed: "closed",
} as const satisfies Record<OutcomeKind, "ok" | ProblemCode>;

/** Seconds that `Retry-After` asks for: a full queue or a missed deadline passes quickly, a stopping hub does not come back at once. */
export const RETRY_AFTER_SECONDS = { "queue-full": 1, deadline: 1, stopping: 5 } as const;

/** The members of an outcome in an answer; always all of them, null where there is nothing to say. */
export function outcomeJson(outcome: Outcome, dictionary: AttributeNames): Record<string, unknown> {
  const reply = outcome.kind === "ack" || outcome.kind === "nak" ? outcome : undefined;
  const cause = reply?.errorCause;
  return {
    outcome: outcome.kind,
    exchange_id: outcome.exchangeId,
    nas: outcome.nas ?? null,
    session_key: outcome.acctSessionKey ?? null,
    link_id: outcome.attempts.at(-1)?.linkId ?? null,
    reply:
      reply === undefined
        ? null
        : {
            code: reply.replyCode,
            name: codeName(reply.replyCode),
            attributes: attributesJson(reply.replyAttributes, dictionary),
          },
    error_cause: cause === undefined ? null : { number: cause, name: errorCauseName(cause) },
    why: "why" in outcome ? (outcome.why ?? null) : null,
    may_have_acted: outcome.mayHaveActed,
    protocol_error: reply?.protocolError ?? false,
    attempts: outcome.attempts.map(({ linkId, kind, tookMs }) => ({
      link_id: linkId,
      ended: kind,
      took_ms: milliseconds(tookMs),
    })),
    duration_ms: milliseconds(outcome.durationMs),
  };
}

/** Attributes by name, in the form that `attributes` takes as input. */
export function attributesJson(attributes: readonly Attribute[], dictionary: AttributeNames) {
  return dictionary.decode(attributes).map(({ name, value }) => ({ name, value }));
}

/** What happened, in a sentence. */
export function outcomeDetail(outcome: Outcome): string {
  switch (outcome.kind) {
    case "ack":
      return "the NAS carried it out";
    case "nak": {
      const { errorCause, replyCode } = outcome;
      const cause =
        errorCause === undefined ? "without Error-Cause" : `with ${errorCauseName(errorCause)} (${errorCause})`;
      return `the NAS answered ${codeName(replyCode)} ${cause}`;
    }
    case "timeout":
      return "the request was sent and no reply came in time: the NAS may have acted";
    case "no-route":
      return NO_ROUTE[outcome.why];
    case "busy":
      return outcome.mayHaveActed ? `${BUSY[outcome.why]}; a first try may have acted` : BUSY[outcome.why];
    case "closed":
      if (outcome.why === "abandoned") return "whoever asked did not wait for the outcome";
      return outcome.written
        ? "the link closed after the request was sent: the NAS may have acted"
        : "the link closed before the request was sent";
  }
}

const NO_ROUTE = {
  unknown: "no live link has that name, address or link id, and no peer holds that name",
  offline: "the NAS is known but has no link now",
  "no-session": "no open acct session fits",
  "not-permitted": "the configuration does not allow this code towards the NAS (reverse)",
  "nas-unnamed": "neither the request nor the NAS nor its entry of clients says what the NAS is called",
} as const;

const BUSY = {
  "queue-full": "the queue of the link is full; nothing was sent",
  deadline: "the link had no free Identifier before the deadline; nothing was sent",
  stopping: "the hub is stopping; nothing was sent",
} as const;

function milliseconds(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
