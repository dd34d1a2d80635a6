import type { Clock } from "../../../clock.ts";
import type { AaaRequest, ModuleServices, ReturnCode } from "../../pipeline/types.ts";
import { readBody, toldIn, UnreadableAnswer } from "./answer-body.ts";
import type { HttpAnswer } from "./attempt.ts";
import type { BackEnd, Question } from "./back-end.ts";
import { apply, type EffectDeps, effectsOf } from "./effects.ts";
import type { RestFigures } from "./figures.ts";
import type { AnswerMemory, Verdict } from "./memory.ts";
import { type Rendered, Rendering } from "./rendering.ts";
import { requestLookup } from "./request-values.ts";
import { asksForVerdict, type CallName, type CallSettings, type WhenDown } from "./settings.ts";
import { statusMeaning } from "./status-codes.ts";
import type { Template } from "./template.ts";
import { AnswerTemplates } from "./told-by-template.ts";

export interface CallDeps {
  readonly services: Pick<ModuleServices, "dictionary" | "log" | "instance">;
  readonly clock: Clock;
  readonly backEnd: BackEnd;
  readonly memory: AnswerMemory;
  readonly figures: RestFigures;
  readonly effects: EffectDeps;
}

export interface CallOptions {
  readonly name: CallName;
  readonly settings: CallSettings;
  readonly basePath: string;
  /** Of every call of the instance. */
  readonly headers: Readonly<Record<string, string>>;
  readonly whenDown: WhenDown;
  /** What an answer is remembered by instead of all that is sent. */
  readonly cacheKey: Template | undefined;
}

/** What came of a call. */
export interface Called {
  readonly code: ReturnCode;
  /** The back end has said it: just now, or before. Else it is what the settings want while it is down. */
  readonly judged: boolean;
}

/** Left of the pipeline's time when the back end has not answered: what `whenDown` says must come before the pipeline's `fail`. */
const MARGIN_MS = 40;
const REPEATABLE: ReadonlySet<string> = new Set(["get", "put", "delete"]);

/** What one component asks, and what follows from the answer. */
export class RestCall {
  readonly #deps: CallDeps;
  readonly #options: CallOptions;
  readonly #rendering: Rendering;
  readonly #templates: AnswerTemplates | undefined;

  constructor(deps: CallDeps, options: CallOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#rendering = new Rendering(options.settings, options.basePath, options.headers);
    this.#templates = AnswerTemplates.of(options.settings);
  }

  get sendsPassword(): boolean {
    return this.#rendering.sendsPassword;
  }

  /** Answers at once where there is nothing to wait for. */
  run(request: AaaRequest): Called | Promise<Called> {
    const rendered = this.#rendering.render(request, this.#deps.services.dictionary);
    if (rendered === "nothing") return { code: "noop", judged: false };
    if (rendered === "invalid") return { code: "invalid", judged: false };
    if (!this.#options.settings.wait) {
      request.afterReply(() => void this.#deps.backEnd.ask(this.#question(rendered, undefined)));
      return { code: "noop", judged: false };
    }
    const { memory, figures } = this.#deps;
    if (!memory.isUsed || !asksForVerdict(this.#options.name)) return this.#ask(request, rendered, undefined);
    const key = memory.keyOf(this.#asked(request, rendered), request);
    const known = memory.fresh(key);
    if (known === undefined) return this.#ask(request, rendered, key);
    figures.fromMemory += 1;
    return this.#take(known, request);
  }

  async #ask(request: AaaRequest, rendered: Rendered, key: string | undefined): Promise<Called> {
    const asked = await this.#deps.backEnd.ask(this.#question(rendered, request));
    if (asked.kind === "down") return this.#down(asked.why, request, key);
    const { code, isDown } = this.#meaning(asked.status);
    if (isDown) return this.#down(`status ${asked.status}`, request, key);
    let verdict: Verdict;
    try {
      verdict = this.#verdict(asked, code, request);
    } catch (error) {
      if (!(error instanceof UnreadableAnswer)) throw error;
      this.#deps.figures.count("unreadable");
      this.#deps.services.log.warn({ component: this.#options.name, why: error.message }, "an answer can not be used");
      return this.#down("unreadable", request, key);
    }
    if (key !== undefined) this.#deps.memory.put(key, verdict);
    return this.#take(verdict, request);
  }

  #question(rendered: Rendered, request: AaaRequest | undefined): Question {
    const { name, settings } = this.#options;
    return {
      rendered,
      deadline: request === undefined ? Infinity : request.deadline - MARGIN_MS,
      // A record is worth storing also where nobody waits for the answer any more.
      signal: name === "accounting" || request === undefined ? undefined : () => request.signal,
      idempotent: settings.idempotent ?? REPEATABLE.has(settings.method),
      readsBody: (status) => name !== "accounting" && this.#meaning(status).readsBody,
      isDown: (status) => this.#meaning(status).isDown,
    };
  }

  #meaning(status: number) {
    return statusMeaning(this.#options.name, status, this.#options.settings.status);
  }

  #asked(request: AaaRequest, { method, path, headers, body = "" }: Rendered): readonly string[] {
    const { name, cacheKey } = this.#options;
    if (cacheKey !== undefined) return [name, cacheKey.expand(requestLookup(request, this.#deps.services.dictionary))];
    return [name, method, path, JSON.stringify(headers), body];
  }

  /** Who is turned away gets attributes of the reply and no more: nothing of a refusal may let anybody in. */
  #verdict(answer: HttpAnswer, code: ReturnCode, request: AaaRequest): Verdict {
    const { name, settings } = this.#options;
    if (name === "accounting") return { code, effects: [] };
    const body = readBody(answer.body, answer.contentType, settings.forceTo);
    const rejects = answer.status > 299 || !LETS_PASS.has(code);
    const told =
      this.#templates?.told(body, rejects, requestLookup(request, this.#deps.services.dictionary)) ?? toldIn(body);
    const allowed = rejects ? told.filter(({ list }) => list === "reply") : told;
    const effects = effectsOf(allowed, this.#deps.effects);
    return { code: code === "ok" && effects.length > 0 ? "updated" : code, effects };
  }

  #take({ code, effects }: Verdict, request: AaaRequest): Called {
    apply(effects, request);
    if (!LETS_PASS.has(code)) request.control.rejectReason = `${this.#deps.services.instance} says ${code}`;
    return { code, judged: true };
  }

  #down(why: string, request: AaaRequest, key: string | undefined): Called {
    const { whenDown, name } = this.#options;
    const last = whenDown === "last-known" && key !== undefined ? this.#deps.memory.last(key) : undefined;
    if (last !== undefined) {
      this.#deps.figures.lastKnown += 1;
      return this.#take(last, request);
    }
    request.control.rejectReason = `${this.#deps.services.instance} is down: ${why}`;
    if (whenDown === "ignore") return { code: "noop", judged: false };
    if (name === "accounting") return { code: "fail", judged: false };
    const code = whenDown === "reject" ? "reject" : whenDown === "silent" ? "handled" : "fail";
    return { code, judged: false };
  }
}

const LETS_PASS: ReadonlySet<ReturnCode> = new Set(["ok", "updated", "noop"]);
