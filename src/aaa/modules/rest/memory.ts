import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { LRUCache } from "lru-cache";
import type { Clock, Random } from "../../../clock.ts";
import { ATTRIBUTE } from "../../../radius/attribute.ts";
import type { AaaRequest, ReturnCode } from "../../pipeline/types.ts";
import type { Effect } from "./effects.ts";

/** What a back end said of a user, ready to be applied again. */
export interface Verdict {
  readonly code: ReturnCode;
  readonly effects: readonly Effect[];
}

export interface MemoryOptions {
  /** How long an answer that lets in is taken for true without asking; 0: not at all. */
  readonly ttlMs: number;
  /** The same for one that does not. */
  readonly rejectTtlMs: number;
  /** How long the last answer stands in for a back end that is down; 0: not at all. */
  readonly lastKnownMs: number;
  readonly entriesMax: number;
}

interface Remembered {
  readonly verdict: Verdict;
  readonly at: number;
}

/** An answer is some hundred octets; one of the largest counts as many. */
const ENTRY_BYTES = 1_024;
const KEY_BYTES = 32;
const LETS_IN: ReadonlySet<ReturnCode> = new Set(["ok", "updated"]);
const TURNS_AWAY: ReadonlySet<ReturnCode> = new Set(["reject", "userlock", "notfound"]);

/** Answers of a back end. What was asked is kept as an HMAC under a key that this process alone has: no password can be read from
 *  it. At the bound the answer not asked for longest goes. */
export class AnswerMemory {
  readonly #clock: Clock;
  readonly #options: MemoryOptions;
  readonly #key: KeyObject;
  readonly #verdicts: LRUCache<string, Remembered>;

  constructor(clock: Clock, random: Random, options: MemoryOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#key = createSecretKey(random.bytes(KEY_BYTES));
    this.#verdicts = new LRUCache({
      max: options.entriesMax,
      maxSize: options.entriesMax * ENTRY_BYTES,
      sizeCalculation: ({ verdict }) => sizeOf(verdict),
    });
  }

  /** Whether anything is to be remembered. */
  get isUsed(): boolean {
    const { ttlMs, rejectTtlMs, lastKnownMs } = this.#options;
    return ttlMs > 0 || rejectTtlMs > 0 || lastKnownMs > 0;
  }

  get size(): number {
    return this.#verdicts.size;
  }

  /** What a question is remembered by. Everything that proves who asks is part of it, whatever the settings say.
   *  @param question what the back end is asked */
  keyOf(question: readonly string[], request: AaaRequest): string {
    const mac = createHmac("sha256", this.#key);
    const add = (part: string | Buffer): void => {
      mac.update(`${Buffer.byteLength(part)} `).update(part);
    };
    for (const part of question) add(part);
    for (const part of proofs(request)) add(part);
    return mac.digest("base64");
  }

  /** An answer that still holds. */
  fresh(key: string): Verdict | undefined {
    const known = this.#verdicts.get(key);
    if (known === undefined) return undefined;
    const { ttlMs, rejectTtlMs } = this.#options;
    return this.#age(known) < (LETS_IN.has(known.verdict.code) ? ttlMs : rejectTtlMs) ? known.verdict : undefined;
  }

  /** The last answer, for as long as one may stand in. */
  last(key: string): Verdict | undefined {
    const known = this.#verdicts.get(key);
    return known !== undefined && this.#age(known) < this.#options.lastKnownMs ? known.verdict : undefined;
  }

  put(key: string, verdict: Verdict): void {
    if (LETS_IN.has(verdict.code) || TURNS_AWAY.has(verdict.code)) {
      this.#verdicts.set(key, { verdict, at: this.#clock.now() });
    }
  }

  #age({ at }: Remembered): number {
    return this.#clock.now() - at;
  }
}

/** Password, CHAP with its challenge, EAP, and whatever vendors have for it (MS-CHAP). */
function proofs(request: AaaRequest): readonly (string | Buffer)[] {
  const { packet } = request;
  const found: (string | Buffer)[] = [request.password() ?? "none"];
  for (const { type, value } of packet.attributes) {
    if (PROOF_TYPES.has(type)) found.push(`${type}`, value);
    // RFC 2865 Section 5.40: the challenge, where no attribute has it.
    if (type === ATTRIBUTE.chapPassword) found.push(packet.authenticator);
  }
  return found;
}

const PROOF_TYPES: ReadonlySet<number> = new Set([
  ATTRIBUTE.chapPassword,
  ATTRIBUTE.chapChallenge,
  ATTRIBUTE.eapMessage,
  ATTRIBUTE.vendorSpecific,
]);

function sizeOf({ effects }: Verdict): number {
  let octets = ENTRY_BYTES;
  for (const effect of effects) {
    if (effect.kind === "reply") for (const { value } of effect.attributes) octets += value.length;
  }
  return octets;
}
