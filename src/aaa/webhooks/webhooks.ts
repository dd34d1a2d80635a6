import type { Clock, Random } from "../../clock.ts";
import { HubError } from "../../errors.ts";
import type { EventFeed } from "../../events.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { NewMessage, Outbox } from "../../store/outbox-types.ts";
import type { Recorded } from "../accounting/accounting.ts";
import { DropReport } from "../upkeep/drop-report.ts";
import { isoTime, sessionData, type Told, toldOf, topicOf } from "./messages.ts";
import type { WebhooksOptions, WebhookTopic } from "./options.ts";
import { OutboxWriter } from "./outbox-writer.ts";
import { TargetQueue } from "./target-queue.ts";

export interface WebhooksDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly outbox: Pick<Outbox, "put" | "take" | "delivered" | "retry" | "bury">;
  /** Of this program, for User-Agent. */
  readonly version: string;
  readonly onFault: (error: unknown) => void;
}

/** Whoever takes a message has so long to deliver it. */
const LEASE_MS = 60_000;
const TAKE_MAX = 256;
/** Repetitions become due by time; new messages are taken at once. */
const SWEEP_MS = 1_000;
const ID_BYTES = 12;
const SESSION_TOPICS: readonly WebhookTopic[] = ["session.started", "session.updated", "session.ended"];

/** Tells operators' systems what happens: each message is in the store first, and repeated until it is taken or dead, so that it
 *  comes at least once, and perhaps not in order. Whoever tells never waits.
 *
 *  new --start()--> running --stop()--> stopped */
export class Webhooks {
  readonly #deps: WebhooksDeps;
  readonly #writer: OutboxWriter;
  readonly #dropped: DropReport;
  readonly #targets = new Map<string, TargetQueue>();
  #options: WebhooksOptions;
  #topics: ReadonlySet<WebhookTopic> = new Set();
  #endSubscription: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;
  #taking = false;
  #takeAgain = false;
  #running = false;

  constructor(deps: WebhooksDeps, options: WebhooksOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#dropped = new DropReport(deps, "webhook");
    this.#writer = new OutboxWriter(
      deps.outbox,
      (why, count) => this.#dropped.count(why, count),
      () => void this.#take(),
    );
    this.#useTargets();
  }

  /** For the metrics. */
  get counts(): {
    readonly waiting: number;
    readonly dropped: number;
    readonly targets: ReadonlyMap<string, TargetQueue>;
  } {
    return { waiting: this.#writer.waiting, dropped: this.#dropped.total, targets: this.#targets };
  }

  /** Whether a target wants to know of acct sessions. */
  get readsRecords(): boolean {
    return SESSION_TOPICS.some((topic) => this.#topics.has(topic));
  }

  start(): void {
    this.#running = true;
    this.#endSubscription = this.#deps.events.subscribe((event) => {
      const told = this.#topics.size === 0 ? undefined : toldOf(event);
      if (told !== undefined) this.#tell(told);
    });
    this.#wait();
  }

  /** Stores what was told until now, and cuts deliveries under way: they come again. */
  async stop(): Promise<void> {
    this.#endSubscription?.();
    this.#running = false;
    this.#cancelSweep?.();
    await this.#writer.flush();
    for (const target of this.#targets.values()) target.stop();
  }

  apply(options: WebhooksOptions): void {
    this.#options = options;
    this.#useTargets();
  }

  /** A record is stored and its Accounting-Response is on its way. */
  recorded({ record, result }: Recorded): void {
    const topic = topicOf(result.effect);
    const atMs = this.#deps.clock.wallMs();
    if (topic !== undefined && result.acctSession !== undefined && this.#topics.has(topic)) {
      this.#tell({ topic, atMs, data: sessionData(result.acctSession) });
    }
    if (result.closedKeys.length === 0 || !this.#topics.has("session.ended")) return;
    const cause = record.kind === "on" ? "nas-on" : "nas-off";
    for (const key of result.closedKeys) {
      this.#tell({
        topic: "session.ended",
        atMs,
        data: { key, open: false, close_cause: cause, ended_at: isoTime(atMs) },
      });
    }
  }

  /** The hub itself closed an acct session. */
  closed(acctSession: AcctSession): void {
    this.#tell({ topic: "session.ended", atMs: this.#deps.clock.wallMs(), data: sessionData(acctSession) });
  }

  #tell({ topic, atMs, data }: Told): void {
    if (!this.#topics.has(topic)) return;
    for (const target of this.#options.targets) {
      if (!target.topics.has(topic)) continue;
      const messageId = `msg_${this.#deps.random.bytes(ID_BYTES).toString("base64url")}`;
      const body = JSON.stringify({ type: topic, timestamp: isoTime(atMs), data });
      const message: NewMessage = { messageId, target: target.name, topic, body, createdAtMs: atMs, dueAtMs: atMs };
      this.#writer.add(message);
    }
  }

  #useTargets(): void {
    const { targets } = this.#options;
    this.#topics = new Set(targets.flatMap((target) => [...target.topics]));
    const { clock, random, outbox, version, onFault } = this.#deps;
    for (const [name, queue] of this.#targets) {
      if (targets.some((target) => target.name === name)) continue;
      queue.stop();
      this.#targets.delete(name);
    }
    for (const target of targets) {
      const queue = this.#targets.get(target.name);
      if (queue === undefined)
        this.#targets.set(target.name, new TargetQueue({ clock, random, outbox, version, onFault }, target));
      else queue.apply(target);
    }
  }

  #wait(): void {
    this.#cancelSweep?.();
    if (this.#running) this.#cancelSweep = this.#deps.clock.after(SWEEP_MS, () => void this.#sweep());
  }

  async #sweep(): Promise<void> {
    await this.#take();
    this.#wait();
  }

  /** Hands what is due to its targets. What a slow one can not hold stays leased, out of the way of the others. */
  async #take(): Promise<void> {
    if (!this.#running) return;
    this.#takeAgain = true;
    if (this.#taking) return;
    this.#taking = true;
    try {
      while (this.#takeAgain && this.#running) {
        this.#takeAgain = false;
        const nowMs = this.#deps.clock.wallMs();
        const messages = await this.#deps.outbox.take(nowMs, nowMs + LEASE_MS, TAKE_MAX);
        if (messages.length === TAKE_MAX) this.#takeAgain = true;
        for (const message of messages) {
          const target = this.#targets.get(message.target);
          if (target !== undefined) target.add(message);
          else await this.#deps.outbox.bury(message.messageId, nowMs, "there is no such target any more");
        }
      }
    } catch (error) {
      // While the store is down the next sweep asks again.
      if (!(error instanceof HubError)) this.#deps.onFault(error);
    } finally {
      this.#taking = false;
    }
  }
}
