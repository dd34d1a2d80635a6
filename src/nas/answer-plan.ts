import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, integerAttribute } from "../radius/attribute.ts";
import { encodeResponse, FIRST_VALUE_OFFSET, type SharedSecret, signResponse } from "../radius/authenticator.ts";
import { encodePacket, type Packet } from "../radius/packet.ts";

/** How a simulated NAS answers Disconnect- and CoA-Requests. */
export interface AnswerPlan {
  /** "acct-sessions": as a real router, by what its acct sessions are. The others answer the same to every request. */
  readonly verdict: "acct-sessions" | "ack" | "nak" | "protocol-error" | "none";
  /** Error-Cause of "nak" and "protocol-error"; undefined leaves it out (JunosE does, FIELD.md section 3). */
  readonly errorCause?: number | undefined;
  /** The reply leaves this much later. */
  readonly delayMs?: number;
  /** What is wrong with the reply on purpose. */
  readonly flaw?: AnswerFlaw | undefined;
}

export type AnswerFlaw = "bad-authenticator" | "bad-message-authenticator" | "no-message-authenticator";

const FLAWS: ReadonlyMap<string, AnswerFlaw> = new Map([
  ["bad-auth", "bad-authenticator"],
  ["bad-ma", "bad-message-authenticator"],
  ["no-ma", "no-message-authenticator"],
]);

/** What {@link parseAnswerPlan} understands, for help texts. */
export const ANSWER_PLAN_SYNTAX =
  "acct-sessions | ack | nak[:CAUSE] | protocol-error[:CAUSE] | none, then ,delay:MS or ,bad-auth ,bad-ma ,no-ma";

const DELAY_MS_MAX = 3_600_000;
const UNSUPPORTED_EXTENSION = 406;

/** Parses parts joined by commas: "nak:503", "ack,delay:250", "bad-auth" (an ACK with a flaw).
 *  @throws {HubError} ERR_INPUT */
export function parseAnswerPlan(text: string): AnswerPlan {
  let plan: AnswerPlan = { verdict: "ack" };
  for (const part of text.split(",")) plan = { ...plan, ...parsePart(part.trim()) };
  return plan;
}

function parsePart(part: string): Partial<AnswerPlan> {
  const flaw = FLAWS.get(part);
  if (flaw !== undefined) return { flaw };
  const [word, parameter] = part.split(":", 2) as [string, string | undefined];
  const number = parameter !== undefined && /^\d{1,7}$/.test(parameter) ? Number(parameter) : undefined;
  const parameterFits = parameter === undefined || number !== undefined;
  if ((word === "ack" || word === "none" || word === "acct-sessions") && parameter === undefined)
    return { verdict: word };
  if (word === "nak" && parameterFits) return { verdict: "nak", errorCause: number };
  if (word === "protocol-error" && parameterFits) {
    return { verdict: "protocol-error", errorCause: number ?? UNSUPPORTED_EXTENSION };
  }
  if (word === "delay" && number !== undefined && number <= DELAY_MS_MAX) return { delayMs: number };
  throw new HubError("ERR_INPUT", `"${part}" is not an answer; write ${ANSWER_PLAN_SYNTAX}`, { part });
}

/** Error-Cause as an attribute (RFC 5176 Section 3.5), or nothing. */
export function errorCauseAttributes(errorCause: number | undefined): readonly Attribute[] {
  return errorCause === undefined ? [] : [integerAttribute(ATTRIBUTE.errorCause, errorCause)];
}

/** The octets of a reply with the flaw that the plan wants; everything else about it is correct (CRY-08, CRY-10).
 *  @throws {HubError} ERR_RADIUS_TOO_LONG */
export function encodeAnswer(
  request: Pick<Packet, "identifier" | "authenticator">,
  code: number,
  attributes: readonly Attribute[],
  secret: SharedSecret,
  flaw?: AnswerFlaw,
): Buffer {
  if (flaw === "no-message-authenticator") {
    const octets = encodePacket(code, request.identifier, request.authenticator, attributes);
    signResponse(octets, request.authenticator, -1, secret);
    return octets;
  }
  if (flaw === "bad-message-authenticator") {
    const octets = encodePacket(code, request.identifier, request.authenticator, attributes, true);
    signResponse(octets, request.authenticator, FIRST_VALUE_OFFSET, secret);
    octets[FIRST_VALUE_OFFSET] = (octets[FIRST_VALUE_OFFSET] as number) ^ 1;
    // Signed again around the wrong value: only the Message-Authenticator fails.
    signResponse(octets, request.authenticator, -1, secret);
    return octets;
  }
  const octets = encodeResponse(request, code, attributes, secret);
  if (flaw === "bad-authenticator") octets[4] = (octets[4] as number) ^ 1;
  return octets;
}
