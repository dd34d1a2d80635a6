import { hash } from "node:crypto";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { ExchangeRequest } from "../dynauth/exchange-request.ts";
import type { Outcome } from "../dynauth/outcome.ts";
import { HubError } from "../errors.ts";
import { CODE, codeName } from "../radius/codes.ts";
import type { ApiContext, Routes, Settings } from "./api-context.ts";
import { includesRole } from "./credentials.ts";
import { type ExchangeInput, exchangeInput, triggerInput } from "./exchange-input.ts";
import { type Answer, IdempotentAnswers } from "./idempotency.ts";
import type { HttpDeps } from "./options.ts";
import { auditList, auditRoutes } from "./routes-audit.ts";
import { answerCode, outcomeDetail, outcomeJson, RETRY_AFTER_SECONDS } from "./outcome-json.ts";
import { type Fields, readParameters } from "./parameters.ts";
import { PROBLEMS, problemJson, refusal } from "./problem.ts";

type ExchangeDeps = Pick<HttpDeps, "clock" | "dynauth" | "dictionary" | "acctSessions" | "audit">;

/** POST /disconnect, /coa and /v1/exchanges, and what is known of those that have ended. */
export function exchangeRoutes(deps: ExchangeDeps, settings: Settings): Routes {
  const desk = new ExchangeDesk(deps, settings);
  const indexed = deps.acctSessions !== undefined;
  const rules = () => ({ dictionary: deps.dictionary, timeoutMaxMs: settings().timeoutMaxMs, indexed });
  return {
    "/disconnect": {
      POST: {
        role: "operator",
        answer: (context) => desk.answer(context, (fields) => triggerInput(CODE.disconnectRequest, fields, rules())),
      },
    },
    "/coa": {
      POST: {
        role: "operator",
        answer: (context) => desk.answer(context, (fields) => triggerInput(CODE.coaRequest, fields, rules())),
      },
    },
    "/v1/exchanges": {
      POST: { role: "operator", answer: (context) => desk.answer(context, (fields) => exchangeInput(fields, rules())) },
      ...(deps.audit && { GET: auditList(deps.audit) }),
    },
    ...(deps.audit && auditRoutes(deps.audit)),
  };
}

/** One exchange from HTTP to HTTP: read, send, answer. */
class ExchangeDesk {
  readonly #deps: ExchangeDeps;
  readonly #settings: Settings;
  readonly #answers: IdempotentAnswers;

  constructor(deps: ExchangeDeps, settings: Settings) {
    this.#deps = deps;
    this.#settings = settings;
    this.#answers = new IdempotentAnswers(deps.clock);
  }

  async answer(context: ApiContext, read: (fields: Fields) => ExchangeInput): Promise<Response> {
    const { fields, source } = await readParameters(context.env.incoming, this.#settings().bodyBytesMax);
    const input = read(fields);
    assertMaySend(context, input.code);
    const key = idempotencyKey(context);
    if (key === undefined) {
      // Nobody is left to be told: a request that is not written yet is taken back.
      return respond(context, await this.#run(context, input, context.req.raw.signal));
    }
    const fingerprint = hash("sha256", Buffer.concat([Buffer.from(`${context.req.path}?${source[0]}\n`), source[1]]));
    // With a key the caller may come back for the answer: its leaving stops nothing.
    const { replayed, ...answer } = await this.#answers.answer({ key, fingerprint }, () => this.#run(context, input));
    return respond(context, answer, replayed ? { "Idempotent-Replayed": "true" } : {});
  }

  async #run(context: ApiContext, input: ExchangeInput, signal?: AbortSignal): Promise<Answer> {
    const requestId = context.get("requestId");
    const request: ExchangeRequest = {
      code: input.code,
      target: input.target,
      attributes: input.attributes,
      ...(input.timeoutMs !== undefined && { timeoutMs: input.timeoutMs }),
      force: input.force,
      trigger: "http",
      caller: context.get("caller")?.name,
      requestId,
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const outcomes = await this.#deps.dynauth.exchange(request);
      const [only] = outcomes;
      // Who asked for acct sessions gets a list, also of one: nobody knows beforehand how many a user has.
      const isOne = only !== undefined && (isNamed(input) || answerCode(only) === "no-session");
      return isOne && outcomes.length === 1 ? this.#single(only, requestId) : this.#several(outcomes, requestId);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  #single(outcome: Outcome, requestId: string): Answer {
    const code = answerCode(outcome);
    const facts = outcomeJson(outcome, this.#deps.dictionary);
    const final = isFinal(outcome);
    if (code === "ok") return answerOf(200, { ...facts, request_id: requestId }, final);
    // RC-12: what was asked has begun, so it is no failure; nor is it an ACK.
    if (isInitiated(outcome)) {
      return answerOf(202, { ...facts, detail: outcomeDetail(outcome), request_id: requestId }, final);
    }
    const problem = problemJson({ code, detail: outcomeDetail(outcome), facts }, requestId);
    const headers: Record<string, string> = { "Content-Type": "application/problem+json" };
    if (outcome.kind === "busy") headers["Retry-After"] = String(RETRY_AFTER_SECONDS[outcome.why]);
    return answerOf(PROBLEMS[code][0], problem, final, headers);
  }

  /** One entry each; 207 as soon as one is no ack (RFC 4918 Section 11.1 lends the number, not the body). */
  #several(outcomes: readonly Outcome[], requestId: string): Answer {
    const entries = outcomes.map((outcome) => {
      return { ...verdictOf(outcome), ...outcomeJson(outcome, this.#deps.dictionary) };
    });
    const allAck = outcomes.every(({ kind }) => kind === "ack");
    return answerOf(allAck ? 200 : 207, { outcomes: entries, request_id: requestId }, outcomes.some(isFinal));
  }

  /** Gives the refusals of dynauth the words of the API. */
  #explained(error: unknown): unknown {
    if (!(error instanceof HubError)) return error;
    const { candidates, type, targetsMax } = error.details;
    if (targetsMax !== undefined) return refusal("too-many-sessions", error.message, { sessions_max: targetsMax });
    if (error.code === "ERR_AMBIGUOUS" && Array.isArray(candidates)) {
      return refusal("ambiguous", error.message, { candidates: candidates.map(candidateJson) });
    }
    if (error.code === "ERR_ATTRIBUTE_NOT_ALLOWED" && typeof type === "number") {
      const attribute = this.#deps.dictionary.attributeName({ type, value: Buffer.alloc(0) });
      return refusal("attribute-not-allowed", error.message.replace(`attribute ${type}`, attribute), { attribute });
    }
    return error;
  }
}

/** Whether the request names a NAS or a link; else the session index says who is meant. */
function isNamed({ target }: ExchangeInput): boolean {
  return Object.keys(target).length > 0;
}

/** What the status and the problem would be if the outcome were the only one. */
function verdictOf(outcome: Outcome): Record<string, unknown> {
  const code = answerCode(outcome);
  if (code === "ok") return { status: 200 };
  const detail = outcomeDetail(outcome);
  return isInitiated(outcome) ? { status: 202, detail } : { status: PROBLEMS[code][0], code, detail };
}

function isInitiated(outcome: Outcome): boolean {
  return outcome.kind === "nak" && outcome.requestInitiated;
}

/** Only Disconnect and CoA are the daily work of an operator (RC-01).
 *  @throws {HubError} ERR_INPUT: forbidden */
function assertMaySend(context: ApiContext, code: number): void {
  if (code === CODE.disconnectRequest || code === CODE.coaRequest) return;
  const caller = context.get("caller");
  if (caller !== undefined && includesRole(caller.role, "admin")) return;
  throw refusal("forbidden", `${codeName(code)} may be sent by role admin only`);
}

/** @throws {HubError} ERR_INPUT: bad-input */
function idempotencyKey(context: ApiContext): string | undefined {
  const key = context.req.header("Idempotency-Key");
  if (key === undefined) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) {
    throw refusal("bad-input", "Idempotency-Key must be 1 to 255 printable ASCII characters without blanks");
  }
  return `${context.get("caller")?.name ?? ""} ${key}`;
}

/** Doing it again would be doing it twice. */
function isFinal(outcome: Outcome): boolean {
  return outcome.kind === "ack" || outcome.kind === "nak" || outcome.mayHaveActed;
}

function answerOf(status: number, body: object, final: boolean, headers: Record<string, string> = {}): Answer {
  return { status, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body), final };
}

function respond(context: ApiContext, answer: Answer, headers: Record<string, string> = {}): Response {
  return context.body(answer.body, answer.status as ContentfulStatusCode, { ...answer.headers, ...headers });
}

/** A candidate of ERR_AMBIGUOUS in the spelling of the API. */
function candidateJson(candidate: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(candidate).map(([name, value]: [string, unknown]) => [
      name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
      value,
    ]),
  );
}
