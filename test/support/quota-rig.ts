import { join } from "node:path";
import { onTestFinished, vi } from "vitest";
import type { QuotaOptions, QuotaRule, QuotaThreshold } from "../../src/aaa/quota/options.ts";
import { periodRules } from "../../src/aaa/quota/options.ts";
import { Quota } from "../../src/aaa/quota/quota.ts";
import { systemRandom } from "../../src/clock.ts";
import { Dynauth } from "../../src/dynauth/dynauth.ts";
import { RegistryResolver } from "../../src/dynauth/registry-resolver.ts";
import { SessionResolver } from "../../src/dynauth/session-resolver.ts";
import { ProxyMark } from "../../src/dynauth/trigger-attributes.ts";
import { EventFeed, type HubEvent, type HubEventOf } from "../../src/events.ts";
import { ATTRIBUTE, type Attribute, firstValue, integerAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { decodePacket } from "../../src/radius/packet.ts";
import { Registry } from "../../src/registry/registry.ts";
import type { AcctSession } from "../../src/store/acct-session.ts";
import type { AccountingKind, AccountingRecord } from "../../src/store/accounting-record.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import type { LinkOutcome, LinkRequest } from "../../src/transport/link.ts";
import { FakeLink } from "./fake-link.ts";
import { ManualClock } from "./manual-clock.ts";

const QUOTA_DICTIONARY: Dictionary = Dictionary.load(join(import.meta.dirname, "../../config/dictionaries"));

/** 2026-11-22 10:00 UTC, a Sunday. */
const NOON_MS: number = Date.UTC(2026, 10, 22, 10);

export const THROTTLE_80: QuotaThreshold = {
  percent: 80,
  notify: true,
  action: {
    kind: "throttle",
    attributes: [{ name: "Mikrotik-Rate-Limit", value: "1M/1M" }],
    undo: [{ name: "Mikrotik-Rate-Limit", value: "50M/50M" }],
  },
};
export const DISCONNECT_100: QuotaThreshold = { percent: 100, notify: true, action: { kind: "disconnect" } };

/** 1,000 octets a day for everybody. */
export function quotaRule(changes: Partial<QuotaRule> = {}): QuotaRule {
  return {
    name: "daily",
    match: {},
    counts: "both",
    period: { kind: "day" },
    amount: 1_000,
    thresholds: [THROTTLE_80, DISCONNECT_100],
    ...changes,
  };
}

export function quotaOptions(changes: Partial<QuotaOptions> = {}): QuotaOptions {
  return {
    rules: [quotaRule()],
    timeZone: "UTC",
    repeat: { floorMs: 5_000, capMs: 300_000, attemptsMax: 3 },
    memoryMs: 30_000,
    sweepMs: 1_000,
    ...changes,
  };
}

/** The octets of a reply to whatever a link was asked. */
export function replyTo(
  code: number,
  ...attributes: readonly Attribute[]
): (request: LinkRequest) => Promise<LinkOutcome> {
  return ({ code: asked }) => {
    const request = decodePacket(encodeRequest(asked, 1, [], Buffer.alloc(16), RADSEC_SECRET));
    const reply = decodePacket(encodeResponse(request, code, attributes, RADSEC_SECRET));
    return Promise.resolve({ kind: "reply", reply, roundTripMs: 1 });
  };
}

export function errorCause(value: number): Attribute {
  return integerAttribute(ATTRIBUTE.errorCause, value);
}

/** Acknowledges what it is asked. */
export function acknowledge(request: LinkRequest): Promise<LinkOutcome> {
  return replyTo(request.code + 1)(request);
}

export const silence = (): Promise<LinkOutcome> => Promise.resolve({ kind: "timeout" });

/** What a router was asked, for people: "CoA bob 1M/1M", "Disconnect bob". */
export function asked(link: FakeLink): string[] {
  return link.sent.map(({ code, attributes }) => {
    const user = firstValue(attributes, ATTRIBUTE.userName)?.toString();
    const limit = QUOTA_DICTIONARY.decode(attributes).find(({ name }) => name === "Mikrotik-Rate-Limit")?.value;
    return code === CODE.disconnectRequest ? `Disconnect ${user}` : `CoA ${user} ${limit}`;
  });
}

export interface Told {
  readonly octets?: number;
  readonly seconds?: number;
  readonly acctSessionId?: string;
  readonly nas?: string;
}

/** Quota over a real store, registry and dynauth, with routers that are {@link FakeLink}s and a clock that stands still. */
export class QuotaRig {
  readonly clock = new ManualClock(NOON_MS);
  readonly events = new EventFeed((error) => this.faults.push(error));
  readonly seen: HubEvent[] = [];
  readonly faults: unknown[] = [];
  readonly closed: AcctSession[] = [];
  readonly store: SqliteStore;
  readonly registry: Registry;
  readonly quota: Quota;

  private constructor(options: QuotaOptions, store: SqliteStore | undefined) {
    const { clock, events } = this;
    this.store = store ?? new SqliteStore({ clock }, { file: ":memory:" });
    const { acctSessions } = this.store;
    this.events.subscribe((event) => this.seen.push(event));
    this.registry = new Registry(
      { clock, events },
      { bindingLapseMs: 60_000, namesPerLinkMax: 100, bindingsMax: 1_000 },
    );
    const named = new RegistryResolver(this.registry, () => undefined);
    let exchanges = 0;
    const dynauth = new Dynauth(
      {
        mark: new ProxyMark(Buffer.alloc(12)),
        clock,
        events,
        resolver: new SessionResolver(
          { clock, acctSessions, registry: this.registry, named },
          { checkSessions: false },
        ),
        nextExchangeId: () => `x${(exchanges += 1)}`,
      },
      { timeoutMs: 5_000, timeoutUdpMs: 5_000, timeoutMaxMs: 30_000, exchangesMax: 1_000 },
    );
    this.quota = new Quota(
      {
        clock,
        random: systemRandom,
        events,
        dynauth,
        dictionary: QUOTA_DICTIONARY,
        store: this.store,
        closed: (acctSession) => this.closed.push(acctSession),
        onFault: (error) => this.faults.push(error),
      },
      options,
    );
    this.store.usePeriods(periodRules(options));
  }

  /** @param store of another rig, that goes on without its hub */
  static async start(options: QuotaOptions = quotaOptions(), store?: SqliteStore): Promise<QuotaRig> {
    const rig = new QuotaRig(options, store);
    if (store === undefined) rig.store.start();
    await vi.waitUntil(() => rig.store.health.state === "up", { timeout: 10_000, interval: 5 });
    rig.quota.start();
    onTestFinished(async () => {
      await rig.quota.stop();
      await rig.store.stop();
      rig.registry.stop();
    });
    return rig;
  }

  /** A router with one link. */
  router(linkId: string, facts: { readonly peerKey?: string; readonly answer?: FakeLink["answer"] } = {}): FakeLink {
    const link = new FakeLink({ linkId, peerKey: facts.peerKey ?? `peer of ${linkId}` });
    link.answer = facts.answer ?? acknowledge;
    this.registry.opened(link);
    return link;
  }

  /** The link has gone. */
  drop(link: FakeLink): void {
    link.open = false;
    this.registry.closed(link);
  }

  /** One record, stored and told to the quota as accounting does it. */
  async account(kind: AccountingKind, username: string, link: FakeLink, told: Told = {}): Promise<void> {
    const { octets = 0, seconds = 60, acctSessionId = "1", nas = link.peerKey } = told;
    const atMs = this.clock.wallMs();
    const record: AccountingRecord = {
      kind,
      nasKey: nas,
      acctSessionId,
      arrivedAtMs: atMs,
      eventAtMs: atMs,
      sessionSeconds: kind === "start" ? 0 : seconds,
      output: { octets, gigawords: 0 },
      username,
      staleAfterMs: 900_000,
      facts: { nasIdentifier: nas, linkId: link.linkId, peerKey: link.peerKey },
    };
    const [result] = await this.store.acctSessions.record([record]);
    if (result === undefined) throw new Error("the store gave no result");
    this.quota.recorded({ record, result, link });
  }

  eventsOf<Type extends HubEvent["type"]>(type: Type): HubEventOf<Type>[] {
    return this.seen.filter((event): event is HubEventOf<Type> => event.type === type);
  }

  /** "daily 80 day/2026-11-22" for each threshold that was announced. */
  get reached(): string[] {
    return this.eventsOf("quota.reached").map(({ rule, threshold, periodKey }) => `${rule} ${threshold} ${periodKey}`);
  }

  /** "disconnect ack done" for each attempt. */
  get acted(): string[] {
    return this.eventsOf("quota.acted").map(({ action, outcome, next }) => `${action} ${outcome} ${next}`);
  }

  /** Lets time pass, and then what has become due by it be done: a sweep begins a while after the one before has ended. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await this.settled();
    this.clock.advance(1_000);
    await this.settled();
  }

  /** Until nobody waits and nothing is under way. */
  async settled(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      await this.store.acctSessions.countOpen(); // everything before it has been answered
      await new Promise((resolve) => setImmediate(resolve));
      const { waiting, acting, looking } = this.quota.load;
      quiet = waiting + acting + looking === 0 ? quiet + 1 : 0;
    }
  }
}
