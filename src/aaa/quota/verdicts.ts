import { LRUCache } from "lru-cache";
import type { Clock } from "../../clock.ts";
import type { VerdictOptions } from "./options.ts";

/** What is asked about: the hub's own count. */
export interface VerdictQuestion {
  readonly username: string;
  readonly rule: string;
  readonly periodKey: string;
  readonly used: number;
  readonly amount: number | undefined;
  /** By the hub's own count; null where the amount is nothing. */
  readonly percent: number;
}

/** Answers that are remembered; the one not asked for longest goes first. */
const ANSWERS_MAX = 50_000;
/** Questions at once; one more waits, at most QUESTIONS_WAITING_MAX do, then the endpoint counts as down. */
const AT_ONCE_MAX = 16;
const WAITING_MAX = 1_024;
/** After a failure the endpoint is left alone for so long, so that a silent one does not hold up every user in turn. */
const PAUSE_MS = 5_000;
const ANSWER_BYTES_MAX = 4_096;

/** The verdicts of operators' REST endpoints, by the contract of VerdictOptions. */
export class Verdicts {
  readonly #clock: Clock;
  readonly #answers = new LRUCache<string, { readonly said: Said; readonly at: number }>({ max: ANSWERS_MAX });
  readonly #downUntil = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];
  readonly #stopping = new AbortController();
  #asking = 0;
  #unanswered = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The percentage that is used up, for all that the hub then does. Never rejects. */
  async percent(options: VerdictOptions, question: VerdictQuestion): Promise<number> {
    const key = `${options.url} ${question.rule} ${question.periodKey} ${question.username}`;
    const known = this.#answers.get(key);
    if (known !== undefined && this.#clock.now() - known.at < options.keepMs) return percentOf(known.said, question);
    const said = await this.#ask(options, question);
    if (said !== undefined) {
      this.#answers.set(key, { said, at: this.#clock.now() });
      return percentOf(said, question);
    }
    if (options.whenDown === "act") return question.percent;
    return options.whenDown === "last-known" && known !== undefined ? percentOf(known.said, question) : 0;
  }

  /** Questions that an endpoint did not answer, since the start; while it is left alone none is asked. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Whether an endpoint did not answer just now. */
  isDown(url: string): boolean {
    return (this.#downUntil.get(url) ?? -Infinity) > this.#clock.now();
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #ask(options: VerdictOptions, question: VerdictQuestion): Promise<Said | undefined> {
    if (this.#asking >= AT_ONCE_MAX) {
      if (this.#waiting.length >= WAITING_MAX) return undefined;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.isDown(options.url)) {
      this.#waiting.shift()?.();
      return undefined;
    }
    this.#asking += 1;
    const said = await this.#fetch(options, question);
    if (said === undefined) {
      this.#unanswered += 1;
      this.#downUntil.set(options.url, this.#clock.now() + PAUSE_MS);
    } else this.#downUntil.delete(options.url);
    this.#asking -= 1;
    this.#waiting.shift()?.();
    return said;
  }

  async #fetch(options: VerdictOptions, question: VerdictQuestion): Promise<Said | undefined> {
    const late = new AbortController();
    const cancel = this.#clock.after(options.timeoutMs, () => late.abort());
    const { username, rule, periodKey, used, amount, percent } = question;
    try {
      const response = await fetch(options.url, {
        method: "POST",
        redirect: "error",
        signal: AbortSignal.any([late.signal, this.#stopping.signal]),
        headers: {
          "Content-Type": "application/json",
          ...(options.authorization === undefined ? {} : { Authorization: options.authorization }),
        },
        body: JSON.stringify({ username, rule, period: periodKey, used, amount, percent }),
      });
      return await saidIn(response);
    } catch {
      return undefined; // refused, reset, late, redirected: it is down
    } finally {
      cancel();
    }
  }
}

type Said = { readonly percent: number } | { readonly verdict: "allow" | "act" };

function percentOf(said: Said, question: VerdictQuestion): number {
  if ("percent" in said) return said.percent;
  return said.verdict === "act" ? question.percent : 0;
}

async function saidIn(response: Response): Promise<Said | undefined> {
  if (!response.ok) {
    await response.body?.cancel();
    return undefined;
  }
  let text = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > ANSWER_BYTES_MAX) return undefined;
  }
  const answer = JSON.parse(text) as { percent?: unknown; verdict?: unknown } | null;
  if (typeof answer?.percent === "number" && answer.percent >= 0) return { percent: answer.percent };
  return answer?.verdict === "allow" || answer?.verdict === "act" ? { verdict: answer.verdict } : undefined;
}
