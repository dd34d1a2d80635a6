import { createSecureContext, type SecureContext } from "node:tls";
import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";
import { ATTRIBUTE, type Attribute, integerAttribute, textAttribute } from "../radius/attribute.ts";
import { RADSEC_SECRET, type SharedSecret } from "../radius/authenticator.ts";
import { CODE } from "../radius/codes.ts";
import type { Packet } from "../radius/packet.ts";
import { type AcctSession, type AcctSessionFacts, AcctSessions, ipv4Attribute } from "./acct-sessions.ts";
import type { AnswerPlan } from "./answer-plan.ts";
import type { NasEvent, NasLinkEvent, NasRequestOutcome } from "./nas-events.ts";
import { NasLink } from "./nas-link.ts";
import { type Answer, answerRequest, type NasIdentity } from "./reverse-answer.ts";
import type { PskCredential } from "../transport/psk.ts";
import { WATCHDOG_JITTER_MS, WATCHDOG_PERIOD_FLOOR_MS, WATCHDOG_PERIOD_MS } from "../transport/watchdog.ts";

export interface NasSimulatorOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: NasCredentials;
  readonly nasIdentifier: string;
  /** IPv4 text. */
  readonly nasIpAddress?: string;
  /** How many links it keeps open; default 1. */
  readonly links?: number;
  /** Default: by its acct sessions, as a real router. */
  readonly answer?: AnswerPlan;
  /** Default 15,000 (ST-17); never below 6,000 (WD-02). */
  readonly watchdogMs?: number;
  /** Default 2,000. */
  readonly watchdogJitterMs?: number;
  /** Whether a Status-Server goes out as soon as a link is up; default true. */
  readonly announce?: boolean;
  /** How far Event-Timestamp may be off; default 300,000 (DP-04). */
  readonly timestampWindowMs?: number;
  readonly secret?: SharedSecret;
  readonly backOff?: { readonly floorMs?: number; readonly capMs?: number };
  /** Attributes beside the NAS identity in each Status-Server. */
  readonly statusAttributes?: readonly Attribute[];
}

export type NasCredentials = NasCertificate | { readonly psk: Pick<PskCredential, "identity" | "key"> };

/** PEM texts. */
export interface NasCertificate {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
  /** What the hub's certificate must be for, when it is not `host`. */
  readonly serverName?: string | undefined;
}

export interface NasSimulatorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent?: (event: NasEvent) => void;
}

/** Acct-Status-Type (RFC 2866 Section 5.1). */
const ACCT_STATUS = { start: 1, stop: 2, interim: 3, on: 7, off: 8 } as const;
export type AcctStatus = keyof typeof ACCT_STATUS;

const TIMESTAMP_WINDOW_MS = 300_000;
const ACCOUNTING_TIMEOUT_MS = 10_000;

/** A router as the hub would like all of them to be: it dials out, keeps its links alive, and does what it is asked.
 *  new --start()--> running --stop()--> stopped   (no way back; make a new one) */
export class NasSimulator implements AsyncDisposable {
  readonly nasIdentifier: string;
  readonly acctSessions = new AcctSessions();
  readonly #deps: NasSimulatorDeps;
  readonly #identity: NasIdentity;
  readonly #links: readonly NasLink[];
  readonly #ready: { readonly promise: Promise<void>; readonly resolve: () => void };
  readonly #waitingFor: Set<number>;
  readonly #readyEvent: NasLinkEvent["type"];
  #plan: AnswerPlan;

  /** @throws {HubError} ERR_INPUT for a bad nasIpAddress or PEM texts that do not fit; ERR_RADIUS_VALUE for a nasIdentifier over 253 octets
   *  @throws {RangeError} for a watchdog below the floor */
  constructor(deps: NasSimulatorDeps, options: NasSimulatorOptions) {
    const { watchdogMs = WATCHDOG_PERIOD_MS, links = 1, announce = true, nasIpAddress } = options;
    if (watchdogMs < WATCHDOG_PERIOD_FLOOR_MS) {
      throw new RangeError(`a watchdog has at least ${WATCHDOG_PERIOD_FLOOR_MS} ms (RFC 3539 Section 3.4.1)`);
    }
    this.nasIdentifier = options.nasIdentifier;
    this.#deps = deps;
    this.#plan = options.answer ?? { verdict: "acct-sessions" };
    this.#identity = {
      nasIdentifier: textAttribute(ATTRIBUTE.nasIdentifier, options.nasIdentifier),
      nasIpAddress: nasIpAddress === undefined ? undefined : ipv4Attribute(ATTRIBUTE.nasIpAddress, nasIpAddress),
    };
    const linkOptions = {
      dial: {
        host: options.host,
        port: options.port,
        secureContext: secureContextOf(options.tls),
        ...("psk" in options.tls ? { psk: options.tls.psk } : { serverName: options.tls.serverName }),
      },
      secret: options.secret ?? RADSEC_SECRET,
      timestampWindowMs: options.timestampWindowMs ?? TIMESTAMP_WINDOW_MS,
      watchdogMs,
      watchdogJitterMs: options.watchdogJitterMs ?? WATCHDOG_JITTER_MS,
      announce,
      statusAttributes: [...this.#identification(), ...(options.statusAttributes ?? [])],
      backOff: options.backOff ?? {},
    };
    const numbers = Array.from({ length: links }, (_, index) => index + 1);
    this.#links = numbers.map((linkNumber) => new NasLink(this.#linkDeps(linkNumber), linkOptions));
    this.#waitingFor = new Set(numbers);
    this.#readyEvent = announce ? "status-answered" : "connected";
    this.#ready = Promise.withResolvers<void>();
  }

  /** Links that are up now. */
  get openLinks(): number {
    return this.#links.filter((link) => link.open).length;
  }

  get answer(): AnswerPlan {
    return this.#plan;
  }

  /** Counts for requests that come from now on. */
  set answer(plan: AnswerPlan) {
    this.#plan = plan;
  }

  /** Dials. Settles once every link has been up and, when it announces itself, heard by the hub; a hub that is away only
   *  delays that, and stop() ends the wait. */
  start(): Promise<void> {
    for (const link of this.#links) link.start();
    return this.#ready.promise;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#links.map((link) => link.stop()));
    this.#ready.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Cuts every connection without a word, as a power failure would; the links dial again. */
  interrupt(): void {
    for (const link of this.#links) link.interrupt();
  }

  /** A user logs in. @throws {HubError} ERR_INPUT */
  addAcctSession(facts: AcctSessionFacts): AcctSession {
    return this.acctSessions.add(facts, this.#deps.clock.wallMs());
  }

  /** Sends one Accounting-Request for the acct session, or for the router itself ("on", "off": without one).
   *  @param counters further attributes, such as Acct-Input-Octets
   *  @throws {HubError} ERR_RADIUS_TOO_LONG */
  async sendAccounting(
    status: AcctStatus,
    acctSession?: AcctSession,
    counters: readonly Attribute[] = [],
  ): Promise<NasRequestOutcome> {
    const { clock } = this.#deps;
    const attributes = [
      integerAttribute(ATTRIBUTE.acctStatusType, ACCT_STATUS[status]),
      ...this.#identification(),
      ...(acctSession?.attributes ?? []),
      integerAttribute(ATTRIBUTE.eventTimestamp, Math.floor(clock.wallMs() / 1000)),
      ...counters,
    ];
    return this.request(CODE.accountingRequest, attributes, ACCOUNTING_TIMEOUT_MS);
  }

  /** Sends any request on the best link: one that is not on probation, if there is one (WD-05).
   *  @throws {HubError} ERR_RADIUS_TOO_LONG */
  async request(code: number, attributes: readonly Attribute[], timeoutMs: number): Promise<NasRequestOutcome> {
    const open = this.#links.filter((each) => each.open);
    const link = open.find((each) => !each.onProbation) ?? open[0];
    return link === undefined ? { kind: "not-sent" } : link.request(code, attributes, timeoutMs);
  }

  #identification(): readonly Attribute[] {
    return Object.values(this.#identity).filter((each) => each !== undefined);
  }

  #linkDeps(linkNumber: number) {
    return {
      clock: this.#deps.clock,
      random: this.#deps.random,
      plan: () => this.#plan,
      answer: (packet: Packet) => this.#answer(packet, linkNumber),
      event: (event: NasLinkEvent) => this.#tell(event, linkNumber),
    };
  }

  #answer(packet: Packet, linkNumber: number): Answer | undefined {
    const answer = answerRequest(packet, this.#identity, this.acctSessions, this.#plan);
    for (const acctSession of answer?.ended ?? []) this.#tell({ type: "acct-ended", acctSession }, linkNumber);
    for (const acctSession of answer?.changed ?? []) this.#tell({ type: "acct-changed", acctSession }, linkNumber);
    return answer;
  }

  #tell(event: NasLinkEvent, linkNumber: number): void {
    this.#deps.onEvent?.({ ...event, nasIdentifier: this.nasIdentifier, linkNumber });
    if (event.type === this.#readyEvent && this.#waitingFor.delete(linkNumber) && this.#waitingFor.size === 0) {
      this.#ready.resolve();
    }
  }
}

function secureContextOf(credentials: NasCredentials): SecureContext {
  // No CA: a hub that does not take the PSK must not get on with its certificate.
  if ("psk" in credentials) return createSecureContext({ ca: [], minVersion: "TLSv1.3" });
  const { ca, certificate, key } = credentials;
  try {
    return createSecureContext({ ca, cert: certificate, key, minVersion: "TLSv1.2" });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new HubError("ERR_INPUT", `certificate, key and CA of the router cannot be used: ${reason}`);
  }
}
