import { dirname, resolve } from "node:path";
import { Accounting, type Recorded } from "./aaa/accounting/accounting.ts";
import { periodRules } from "./aaa/quota/options.ts";
import { ExchangeAudit } from "./aaa/audit/exchange-audit.ts";
import { Quota } from "./aaa/quota/quota.ts";
import { secondsLeft } from "./aaa/quota/seconds-left.ts";
import { Accounts } from "./aaa/users/accounts.ts";
import { Upkeep } from "./aaa/upkeep/upkeep.ts";
import { Webhooks } from "./aaa/webhooks/webhooks.ts";
import { type Clock, type Random, withinGrace } from "./clock.ts";
import type { Config } from "./config.ts";
import { isApiPeer, linksOfApiNas } from "./dynauth/api-nas.ts";
import type { Dynauth } from "./dynauth/dynauth.ts";
import type { EndedExchange } from "./dynauth/exchange-request.ts";
import type { Resolver } from "./dynauth/resolver.ts";
import { SessionResolver } from "./dynauth/session-resolver.ts";
import { HubError } from "./errors.ts";
import type { EventFeed } from "./events.ts";
import type { BookFigures } from "./http/book-metrics.ts";
import type { Logger } from "./log.ts";
import type { Dictionary } from "./radius/dictionary.ts";
import type { Registry } from "./registry/registry.ts";
import type { AcctSession } from "./store/acct-session.ts";
import { BindingKeeper, type KeeperReport } from "./store/binding-keeper.ts";
import { makeFolder } from "./store/folder.ts";
import { MongoStore } from "./store/mongo/mongo-store.ts";
import { SqliteStore } from "./store/sqlite/sqlite-store.ts";
import type { Store, StoreHealth } from "./store/types.ts";
import type { Reply, RequestContext } from "./transport/link.ts";

export interface BookkeepingDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventFeed;
  readonly registry: Registry;
  readonly dictionary: Dictionary;
  readonly log: Logger;
  readonly version: string;
  readonly dynauth: Pick<Dynauth, "exchange">;
  /** Finds NASes that are named. */
  readonly named: Resolver;
}

/** Everything that stands on the store: accounting, session index, quota, webhooks, upkeep, and the bindings of an earlier run.
 *
 *  new --start()--> running --stop()--> stopped. The hub runs while the store is down; accounting is then not answered. */
export class Bookkeeping {
  readonly store: Store;
  readonly quota: Quota;
  readonly accounts: Accounts;
  /** Finds NASes by user, for requests that name none. */
  readonly resolver: SessionResolver;
  readonly #accounting: Accounting;
  readonly #audit: ExchangeAudit;
  readonly #webhooks: Webhooks;
  readonly #upkeep: Upkeep;
  #backups: string | undefined;
  #backup: Promise<unknown> = Promise.resolve();
  readonly #bindings: BindingKeeper;
  readonly #clock: Clock;

  /** @throws {HubError} ERR_CONFIG, ERR_DICTIONARY, ERR_RADIUS_VALUE for a throttle that can not be sent */
  constructor(deps: BookkeepingDeps, config: Config) {
    const { clock, registry, log } = deps;
    const onFault = (error: unknown) => log.error({ err: error }, "bookkeeping failed");
    const closed = (acctSession: AcctSession) => this.#webhooks.closed(acctSession);
    this.#clock = clock;
    this.store = storeOf(config, deps, (health) => {
      tell(log, health);
      if (health.state === "up") this.#bindings.storeIsUp();
    });
    const { store } = this;
    this.resolver = new SessionResolver({ ...deps, acctSessions: store.acctSessions }, config.dynauth);
    this.#backups = backupsOf(config);
    this.#bindings = new BindingKeeper(
      { clock, bindings: registry, store: store.bindings, report: (what) => tellOfBindings(log, what) },
      config.bindings.lapseMs,
    );
    const recorded = (each: Recorded) => this.#recorded(each);
    const detail = () => (this.quota.readsRecords || this.#webhooks.readsRecords ? "full" : "brief");
    this.#accounting = new Accounting({ clock, acctSessions: store.acctSessions, detail, recorded }, config.accounting);
    this.quota = new Quota({ ...deps, store, closed, onFault }, config.quota);
    const vendorOf = ({ facts }: AcctSession) => {
      const links = isApiPeer(facts.peerKey) ? linksOfApiNas(registry, facts) : registry.byPeerKey(facts.peerKey ?? "");
      return links[0]?.link.client.vendor;
    };
    this.accounts = new Accounts(
      {
        ...deps,
        store,
        vendorOf,
        closed,
        onFault,
        secondsLeft: async (username) => secondsLeft(await this.quota.standingsOf(username)),
        quotaChanged: (username) => this.quota.userChanged(username),
      },
      config.users,
    );
    this.#audit = new ExchangeAudit({ ...deps, store, closed, onFault }, config.dynauth.audit);
    this.#webhooks = new Webhooks({ ...deps, outbox: store.outbox, onFault }, config.webhooks);
    const isPresent = (peerKey: string) => registry.byPeerKey(peerKey).some(({ link }) => link.fallback !== true);
    this.#upkeep = new Upkeep({ clock, store, isPresent, closed, onFault }, config.accounting.upkeep);
    store.usePeriods(periodRules(config.quota));
  }

  /** For the metrics. */
  get figures(): BookFigures {
    const { health } = this.store;
    const { targets, ...webhooks } = this.#webhooks.counts;
    return {
      store: { up: health.state === "up", queued: health.queued },
      recordsWaiting: this.#accounting.waiting,
      quota: this.quota.load,
      webhooks: { ...webhooks, targets: [...targets].map(([name, { counts }]) => ({ name, ...counts })) },
      audit: this.#audit.counts,
      bindingsWaiting: this.#bindings.waiting,
      sessionChecks: this.resolver.checks,
    };
  }

  /** Resolves when the store is up and its bindings are in force, or after a moment without it: then both come when they come.
   *  What routers have claimed meanwhile gives way to them. */
  async start(): Promise<void> {
    this.store.start();
    const up = await this.store.ready(STORE_GRACE_MS).then(
      () => true,
      () => false,
    );
    if (up) await withinGrace(this.#bindings.load(), LOAD_GRACE_MS, this.#clock);
    else void this.#bindings.load();
    this.#webhooks.start();
    this.#audit.start();
    this.quota.start();
    this.accounts.start();
    this.#upkeep.start();
  }

  /** After the links have gone: what they brought last is still stored. */
  async stop(): Promise<void> {
    await Promise.all([this.quota.stop(), this.accounts.stop(), this.#upkeep.stop(), this.#audit.stop()]);
    await this.#webhooks.stop();
    await this.#bindings.stop(WRITE_GRACE_MS);
    await this.store.stop();
  }

  /** A binding is new, changed or gone. */
  bindingChanged(...change: Parameters<BindingKeeper["changed"]>): void {
    this.#bindings.changed(...change);
  }

  /** @throws {HubError} ERR_DICTIONARY, ERR_RADIUS_VALUE: then nothing has changed */
  apply(config: Config): void {
    this.quota.apply(config.quota);
    this.#backups = backupsOf(config);
    this.accounts.apply(config.users);
    this.#accounting.apply(config.accounting);
    this.resolver.apply(config.dynauth);
    this.#audit.apply(config.dynauth.audit);
    this.#webhooks.apply(config.webhooks);
    this.#upkeep.apply(config.accounting.upkeep);
    this.#bindings.apply(config.bindings.lapseMs);
    this.store.usePeriods(periodRules(config.quota));
  }

  /** Answers an Accounting-Request once it is stored and, where it is forwarded, the upstream has answered. */
  answer(context: RequestContext, upstream?: Promise<Reply>): Promise<Reply> {
    return this.#accounting.answer(context, upstream);
  }

  /** An exchange has ended, whoever asked for it. */
  ended(exchange: EndedExchange): void {
    this.#audit.ended(exchange);
  }

  /** Copies the embedded store, one copy after the other. @param name of a file in the folder that hub.yaml names
   *  @returns undefined where another program keeps the store. @throws {HubError} ERR_STORE, ERR_INPUT */
  async backup(name: string): Promise<{ readonly file: string; readonly octets: number } | undefined> {
    const { store } = this;
    const folder = this.#backups;
    if (!(store instanceof SqliteStore) || folder === undefined) return undefined;
    const file = resolve(folder, name);
    const copying = this.#backup.then(async () => {
      try {
        makeFolder(folder, 0o700);
      } catch (error) {
        throw new HubError("ERR_STORE", "store.backups is no folder that can be written to", {}, { cause: error });
      }
      return { file, octets: await store.backup(file) };
    });
    this.#backup = copying.catch(() => undefined);
    return copying;
  }

  /** An API has closed an acct session for its NAS. */
  closed(acctSession: AcctSession): void {
    this.#webhooks.closed(acctSession);
  }

  /** Stores an Accounting-Request. @returns undefined once it is durable, else why it is not */
  record(request: Parameters<Accounting["record"]>[0]): ReturnType<Accounting["record"]> {
    return this.#accounting.record(request);
  }

  /** Somebody has given a user another quota: looked at now, and its routers are told what it means to them. */
  quotaChanged(username: string): void {
    this.quota.userChanged(username);
    // What the store can not note is made up by the quota itself, which looks at every record.
    void this.accounts.writer.touch(username).catch(() => undefined);
  }

  /** For /ready. */
  check(): { readonly ok: boolean; readonly detail: string } {
    const { state, detail } = this.store.health;
    return { ok: state === "up", detail: detail ?? state };
  }

  #recorded(recorded: Recorded): void {
    this.#webhooks.recorded(recorded);
    this.#upkeep.recorded(recorded);
    this.quota.recorded(recorded);
  }
}

function backupsOf({ store }: Config): string | undefined {
  return store.kind === "sqlite" ? store.backups : undefined;
}

/** How long a start waits for the store, and then for the bindings in it. */
const STORE_GRACE_MS = 3_000;
const LOAD_GRACE_MS = 10_000;
/** How long a stop waits for bindings to be written. */
const WRITE_GRACE_MS = 3_000;

/** @throws {HubError} ERR_CONFIG for a folder that can not be made */
function storeOf(
  { store }: Config,
  { clock, random }: Pick<BookkeepingDeps, "clock" | "random">,
  onHealth: (health: StoreHealth) => void,
): Store {
  if (store.kind === "mongodb") return new MongoStore({ clock, random, onHealth }, { uri: store.url });
  try {
    makeFolder(dirname(store.file));
  } catch (error) {
    throw new HubError("ERR_CONFIG", `store: the folder of ${store.file} can not be made`, {}, { cause: error });
  }
  return new SqliteStore({ clock, onHealth }, store);
}

function tellOfBindings(log: Logger, what: KeeperReport): void {
  if ("unwritten" in what) {
    log.warn(`${what.unwritten} changes of bindings were not written to the store: what it holds of them is older`);
  } else if (what.loaded > 0) {
    log.info(`${what.restored} of ${what.loaded} bindings of NAS-Identifiers in the store are in force`);
  }
}

function tell(log: Logger, { state, detail }: StoreHealth): void {
  if (state === "down") log.error({ detail }, `the store is down, accounting is not answered: ${detail ?? "?"}`);
  else if (state === "up") log.info("the store is up");
  else log.debug("the store is closed");
}
