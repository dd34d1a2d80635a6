import type { NasEvent, NasRequestOutcome } from "../nas/nas-events.ts";
import { ATTRIBUTE, type Attribute } from "../radius/attribute.ts";
import { codeName } from "../radius/codes.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import { printable } from "./printable.ts";

type AttributeNames = Pick<Dictionary, "decode">;

/** One line for people about what happened at a simulated router, safe for a terminal: the hub has a say in it. */
export function eventText(event: NasEvent, dictionary: AttributeNames): string {
  return printable(`${event.nasIdentifier} link ${event.linkNumber}: ${whatHappened(event, dictionary)}`);
}

function whatHappened(event: NasEvent, dictionary: AttributeNames): string {
  switch (event.type) {
    case "connected":
      return `up (${event.protocol})`;
    case "closed": {
      const detail = event.detail === undefined ? "" : ` (${event.detail})`;
      const next = event.retryInMs === undefined ? "" : `; next try in ${(event.retryInMs / 1000).toFixed(1)} s`;
      return `${event.wasConnected ? "down" : "not up"}: ${event.reason}${detail}${next}`;
    }
    case "status-sent":
      return "Status-Server sent";
    case "status-answered":
      return `${codeName(event.code)} to Status-Server after ${event.roundTripMs.toFixed(1)} ms`;
    case "received": {
      const list = attributesText(event.attributes, dictionary);
      const verdict = event.verdict === "ok" ? "" : ` [${event.verdict}]`;
      return `received ${codeName(event.code)} ${event.identifier}${verdict} { ${list} }`;
    }
    case "answered": {
      const cause = event.errorCause === undefined ? "" : ` with Error-Cause ${event.errorCause}`;
      return `answered ${codeName(event.code)} ${event.identifier}${cause}`;
    }
    case "acct-ended":
      return `acct session ${event.acctSession.acctSessionId} of ${event.acctSession.username} ended`;
    case "acct-changed": {
      const list = attributesText(event.acctSession.attributes, dictionary);
      return `acct session ${event.acctSession.acctSessionId} is now { ${list} }`;
    }
    case "dropped":
      return `dropped ${codeName(event.code)} ${event.identifier}: it answers nothing that was asked`;
  }
}

/** The same as a plain object: octets become names and values, acct sessions their names. */
export function eventJson(event: NasEvent, dictionary: AttributeNames): Record<string, unknown> {
  if (event.type === "received") return { ...event, attributes: dictionary.decode(event.attributes) };
  if (event.type !== "acct-ended" && event.type !== "acct-changed") return event;
  const { username, acctSessionId, attributes } = event.acctSession;
  return { ...event, acctSession: { username, acctSessionId, attributes: dictionary.decode(attributes) } };
}

/** How one Accounting-Request of an acct session ended. */
export function accountingText(status: string, acctSessionId: string, outcome: NasRequestOutcome): string {
  const answer = outcome.kind === "reply" ? codeName(outcome.code) : outcome.kind;
  return `Accounting ${status} of acct session ${acctSessionId}: ${answer}`;
}

function attributesText(attributes: readonly Attribute[], dictionary: AttributeNames): string {
  return dictionary
    .decode(attributes.filter(({ type }) => type !== ATTRIBUTE.messageAuthenticator))
    .map(({ name, value }) => `${name} = ${value}`)
    .join(", ");
}
