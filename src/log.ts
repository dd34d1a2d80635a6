import { LRUCache } from "lru-cache";
import { destination, type Logger, pino } from "pino";
import { PinoPretty } from "pino-pretty";
import type { Clock } from "./clock.ts";
import { errorCauseName } from "./dynauth/error-cause.ts";
import type { ExchangeRequest } from "./dynauth/exchange-request.ts";
import type {
  HandshakeRefused,
  HubEvent,
  LinkDown,
  ModuleMisbehaved,
  PacketDropped,
  QuotaActed,
  UserTold,
} from "./events.ts";
import { ExchangeLog } from "./log/exchange-log.ts";
import { TurnLines } from "./log/turn-lines.ts";
import type { DropReason } from "./transport/link.ts";

export type { Logger } from "pino";

export interface LogOptions {
  readonly level: string;
  /** "pretty" for a terminal, "json" for a collector. */
  readonly format: "json" | "pretty";
  /** Standard output without one. */
  readonly file?: string | undefined;
}

/** A logger whose lines are out at the end of the turn of the event loop that they tell of, warnings at once. Logger.flush() writes
 *  what waits, for a process that ends within a turn. */
export function openLog(options: LogOptions): Logger {
  const sink = destination({ dest: options.file ?? STDOUT, sync: true, mkdir: true, append: true });
  const formatters = { level: (label: string) => ({ level: label }) };
  const settings = { level: options.level, base: null, formatters, timestamp: isoTime() };
  if (options.format === "json") return pino(settings, new TurnLines((lines) => sink.write(lines)));
  const write = sink.write.bind(sink);
  sink.write = (lines) => write(lines.replaceAll(INVISIBLE, escaped));
  return pino(
    settings,
    PinoPretty({
      destination: sink,
      sync: true,
      colorize: options.file === undefined && PinoPretty.isColorSupported,
      translateTime: "SYS:HH:MM:ss.l",
      singleLine: true,
      ignore: "event",
      // Names that routers choose must not begin a line of their own.
      messageFormat: (line, key) => String(line[key]).replaceAll(/\p{Cc}/gu, "?"),
    }),
  );
}

const STDOUT = 1;
/** What a terminal acts on, or what turns the order of a line around, beyond ASCII: of that, pino escapes what is in a name, and
 *  colours need it. */
const INVISIBLE = /[\u0080-\u009f\p{Cf}\p{Zl}\p{Zp}]/gu;

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The time as pino wants it. Under load many lines fall into one millisecond. */
function isoTime(): () => string {
  let lastMs = NaN;
  let text = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== lastMs) text = `,"time":"${new Date(nowMs).toISOString()}"`;
    lastMs = nowMs;
    return text;
  };
}

/** Repeated faults are logged once per cause and source, then at most once a minute with their number. */
const REPEAT_MS = 60_000;
const CAUSES_MAX = 10_000;

/** Turns the event feed into log lines that say what happened, to whom and what to do about it. */
export class EventLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #exchanges: ExchangeLog;
  readonly #repeats = new LRUCache<string, { since: number; suppressed: number }>({ max: CAUSES_MAX });

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#exchanges = new ExchangeLog(log, clock);
  }

  /** No event, because nobody but the log at level debug wants to know. */
  readonly exchangeBegun = (exchangeId: string, request: ExchangeRequest): void => {
    this.#exchanges.begun(exchangeId, request);
  };

  /** A subscriber of the event feed. */
  readonly write = (event: HubEvent): void => {
    // Exchanges are the many: nothing is made for one that gets no line.
    if (event.type === "exchange.ended") return this.#exchanges.ended(event);
    // What is undefined is left out of the line.
    const fields = { event: event.type, ...event, type: undefined, atMs: undefined };
    switch (event.type) {
      case "link.up":
        this.#log.info(fields, `link up: ${event.peer} from ${event.address}:${event.port}`);
        break;
      case "link.down":
        this.#linkDown(event, fields);
        break;
      case "handshake.refused":
        this.#refused(event, fields);
        break;
      case "packet.dropped":
        this.#dropped(event, fields);
        break;
      case "binding":
        if (event.change === "refused")
          this.#log.warn(fields, bindingRefused(event.nasIdentifier, event.claimant, event.holder));
        else this.#log.info(fields, `NAS-Identifier ${event.nasIdentifier}: ${event.change}`);
        break;
      case "certificate.expiring":
        this.#log.warn(fields, `${event.what} expires in ${event.daysLeft} days: renew it`);
        break;
      case "config.applied":
        this.#log.info(fields, configApplied(event.changed, event.needsRestart));
        break;
      case "upstream.up":
        this.#log.info(fields, `upstream ${event.upstream} is up: ${event.detail}`);
        break;
      case "upstream.down":
        this.#log.error(
          fields,
          `upstream ${event.upstream} is down: ${event.detail}; it gets no request until it answers`,
        );
        break;
      case "heartbeat.failed":
        this.#log.error(fields, `the hub does not answer its own Access-Request: ${event.detail}`);
        break;
      case "heartbeat.recovered":
        this.#log.info(fields, "the hub answers its own Access-Request again");
        break;
      case "quota.reached":
        this.#log.info(fields, `quota: ${event.username} has reached ${event.threshold} % of ${event.rule}`);
        break;
      case "quota.acted":
        this.#quotaActed(event, fields);
        break;
      case "user.told":
        this.#userTold(event, fields);
        break;
      case "module.fault":
        this.#moduleFault(event, fields);
        break;
      case "listener.moved":
        if (event.change === "failed") this.#log.warn(fields, `${event.detail ?? event.address}; it is tried again`);
        else this.#log.info(fields, `udp listener ${event.listener}: ${event.change} its sockets on ${event.address}`);
        break;
      case "work.dropped":
        this.#log.warn(fields, `${event.count} times ${event.work} work was dropped: ${event.why}`);
        break;
    }
  };

  #linkDown(event: LinkDown, fields: object): void {
    const why = event.detail === undefined ? event.reason : `${event.reason}, ${event.detail}`;
    const text = `link down: ${event.peer} after ${Math.round(event.livedMs / 1_000)} s: ${why}`;
    if (ORDERLY.has(event.reason)) this.#log.info(fields, text);
    else this.#limited(`down ${event.reason} ${event.peer}`, fields, text);
  }

  #refused(event: HandshakeRefused, fields: object): void {
    const detail = event.detail === undefined ? "" : ` (${event.detail})`;
    this.#limited(
      `refused ${event.reason} ${event.address}`,
      fields,
      `connection from ${event.address}:${event.port} refused by listener ${event.listener}: ${event.reason}${detail}`,
    );
  }

  /** Sources of datagrams can be forged at will: they are counted by client or listener, or each would have its line. */
  #dropped(event: PacketDropped, fields: object): void {
    const cause = event.client ?? (event.linkId === undefined ? event.listener : event.peer);
    const who = event.client === undefined ? event.peer : `${event.peer} (client ${event.client})`;
    const advice = DROP_ADVICE[event.reason];
    const text = `packet of ${who} dropped: ${event.reason}${advice === undefined ? "" : `; ${advice}`}`;
    this.#limited(`drop ${event.reason} ${cause}`, fields, text);
  }

  #userTold(event: UserTold, fields: object): void {
    const { action, username, nas, told } = event;
    const text = `users: ${action} of ${username} at ${nas}: ${told}`;
    if (told === "done" || told === "gone") this.#log.debug(fields, text);
    else this.#limited(`told ${told} ${nas}`, fields, text);
  }

  #moduleFault({ fault, modules, tookMs, detail }: ModuleMisbehaved, fields: object): void {
    const took = tookMs === undefined ? "" : ` for ${Math.round(tookMs)} ms`;
    const who = modules.length === 0 ? "nobody of the modules" : modules.join(" or ");
    const what = {
      threw: `module ${who} threw: ${detail ?? "?"}`,
      "timed-out": `module ${who} did not answer in time and was given up`,
      blocked: `the event loop stood still${took}: ${who}`,
      "bad-code": `module ${who} answered what is no return code`,
    }[fault];
    this.#limited(`module ${fault} ${who}`, fields, what);
  }

  #quotaActed(event: QuotaActed, fields: object): void {
    const cause = event.errorCause === undefined ? "" : ` ${event.errorCause} ${errorCauseName(event.errorCause)}`;
    const text = `quota: ${event.action} ${event.username} on ${event.nas ?? "?"} at ${event.threshold} % of ${event.rule}: ${event.outcome}${cause}, ${event.next}`;
    if (event.next === "done") this.#log.info(fields, text);
    else this.#log.warn(fields, text);
  }

  #limited(cause: string, fields: object, text: string): void {
    const now = this.#clock.now();
    const repeat = this.#repeats.get(cause);
    if (repeat !== undefined && now - repeat.since < REPEAT_MS) {
      repeat.suppressed += 1;
      return;
    }
    const suppressed = repeat?.suppressed ?? 0;
    this.#repeats.set(cause, { since: now, suppressed: 0 });
    if (suppressed === 0) this.#log.warn(fields, text);
    else this.#log.warn({ ...fields, suppressed }, `${text}; ${suppressed} more like it since the last line`);
  }
}

/** What the operator can do about it (BR-09). */
const DROP_ADVICE: Readonly<Partial<Record<string, string>>> = {
  "unknown-source": "no entry of clients has this address",
  "request-no-message-authenticator":
    "let the router send Message-Authenticator in every Access-Request (a setting, or newer firmware); " +
    "requireMessageAuthenticator: false for this client lets it in as it is, open to BlastRADIUS (CVE-2024-3596)",
  "request-proxy-state":
    "let the proxy send Message-Authenticator in every Access-Request; " +
    "limitProxyState: false for this client lets it in as it is, open to BlastRADIUS (CVE-2024-3596)",
  "request-bad-authenticator": "is the secret the same at both ends?",
  "request-bad-message-authenticator": "is the secret the same at both ends?",
  "reply-no-message-authenticator":
    "update the server, so that it sends Message-Authenticator in every reply to an Access-Request; " +
    "requireMessageAuthenticator: false for it takes its replies as they are, open to BlastRADIUS (CVE-2024-3596)",
  "request-stale-timestamp": "are both clocks right?",
} satisfies Partial<Record<DropReason, string>>;

const ORDERLY: ReadonlySet<string> = new Set(["peer-closed", "operator", "stopped"]);

function bindingRefused(nasIdentifier: string, claimant: string | undefined, holder: string | undefined): string {
  return `NAS-Identifier ${nasIdentifier} claimed by ${claimant ?? "?"} belongs to ${holder ?? "?"}: not bound. DELETE /v1/bindings/${encodeURIComponent(nasIdentifier)} releases it`;
}

function configApplied(changed: readonly string[], needsRestart: readonly string[]): string {
  if (changed.length === 0) return "configuration read: nothing changed";
  const text = `configuration applied: ${changed.join(", ")}`;
  return needsRestart.length === 0 ? text : `${text}; needs a restart: ${needsRestart.join(", ")}`;
}
