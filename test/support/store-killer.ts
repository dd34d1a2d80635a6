import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { NOON_MS, RecordMaker } from "./accounting-records.ts";
import type { StoreNews, StoreOrder } from "./store-process.ts";

const USERNAMES = ["alice", "bob", "carol", "dave", "eve"];
/** Acknowledgements of a round before the kill. */
const ACKS_MIN = 4;
const ACKS_MAX = 30;

/** One acct session as the routers know it: what they have sent, and what was acknowledged. */
interface Metered {
  readonly maker: RecordMaker;
  readonly username: string;
  seconds: number;
  sent: number;
  acknowledged: number;
}

export interface KillOptions {
  readonly rounds: number;
  readonly acctSessions: number;
  /** Records of one record() call; each acct session is in one call that is under way. */
  readonly batch: number;
}

/** Kills a process with a store in it, time and again, under load from this process, which remembers what was acknowledged. After
 *  each kill nothing acknowledged is missing, usage is the sum of the acct sessions, and the routers send again what was not
 *  acknowledged; in the end the totals are what the routers count.
 *  @param module exports openStore(place: string) */
export async function killStore(module: string, place: string, options: KillOptions): Promise<void> {
  const routers = Array.from({ length: options.acctSessions }, (_, index): Metered => {
    const username = USERNAMES[index % USERNAMES.length] as string;
    const nasKey = `nas-${index % 7}`;
    const maker = new RecordMaker({ nasKey, acctSessionId: String(index), username, startedAtMs: NOON_MS });
    return { maker, username, seconds: 0, sent: 0, acknowledged: 0 };
  });
  let next = new StoreProcess(module, place);
  for (let round = 0; round < options.rounds; round += 1) {
    const running = next;
    next = new StoreProcess(module, place);
    await running.open();
    await expectNothingLost(running, routers);
    const acks = ACKS_MIN + Math.floor(Math.random() * (ACKS_MAX - ACKS_MIN));
    await load(running, routers, options.batch, acks);
    await running.kill();
  }
  await next.open();
  await expectNothingLost(next, routers);
  await load(next, routers, options.batch, ACKS_MAX);
  await next.idle();
  for (const each of routers) expect(each.acknowledged).toBe(each.sent);
  const { totals } = await next.state();
  expect(totals).toEqual(USERNAMES.map((username) => sum(routers.filter((each) => each.username === username))));
  await next.kill();
}

/** Every router sends, and sends again what it had no answer for, until so many batches are acknowledged. */
async function load(
  process: StoreProcess,
  routers: readonly Metered[],
  batchRecords: number,
  acks: number,
): Promise<void> {
  let acknowledged = 0;
  await new Promise<void>((resolve, reject) => {
    const send = (first: number): void => {
      const batch = Array.from(
        { length: batchRecords },
        (_, index) => routers[(first + index) % routers.length] as Metered,
      );
      for (const each of batch) {
        if (each.sent > each.acknowledged) continue; // as it was, with the same counters
        each.seconds += 30;
        each.sent += 1 + Math.floor(Math.random() * 1_000_000);
      }
      const records = batch.map(({ maker, seconds, sent }) => maker.interim(seconds, sent));
      process.record(records).then(() => {
        for (const [index, each] of batch.entries()) {
          each.acknowledged = Math.max(each.acknowledged, records[index]?.input?.octets ?? 0);
        }
        acknowledged += 1;
        if (acknowledged >= acks) resolve();
        else send(first);
      }, reject);
    };
    for (let first = 0; first < routers.length; first += batchRecords) send(first);
  });
}

async function expectNothingLost(process: StoreProcess, routers: readonly Metered[]): Promise<void> {
  const { uploads, totals } = await process.state();
  const stored = new Map<string, number>();
  for (const { maker, username, acknowledged, sent } of routers) {
    const upload = uploads[`${maker.nasKey}/${maker.acctSessionId}`] ?? 0;
    expect(upload).toBeGreaterThanOrEqual(acknowledged);
    expect(upload).toBeLessThanOrEqual(sent);
    stored.set(username, (stored.get(username) ?? 0) + upload);
  }
  expect(totals).toEqual(USERNAMES.map((username) => stored.get(username)));
}

function sum(routers: readonly Metered[]): number {
  return routers.reduce((total, { sent }) => total + sent, 0);
}

/** A process of its own with a store in it, which ends with the test. */
export class StoreProcess {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #waiting = new Map<string, { resolve: (news: StoreNews) => void; reject: (error: Error) => void }>();
  #number = 0;

  constructor(module: string, place: string) {
    this.#child = fork(join(import.meta.dirname, "store-process.ts"), [module, place], { execArgv: [] });
    this.#ended = once(this.#child, "exit");
    this.#child.on("message", (news: StoreNews) => this.#hear(news));
    onTestFinished(() => this.kill());
  }

  async open(): Promise<void> {
    await this.#ask("opened", { type: "open" });
  }

  async record(batch: Extract<StoreOrder, { type: "record" }>["batch"]): Promise<void> {
    this.#number += 1;
    await this.#ask(`recorded ${this.#number}`, { type: "record", number: this.#number, batch });
  }

  async state(usernames: readonly string[] = USERNAMES): Promise<Extract<StoreNews, { type: "state" }>> {
    return (await this.#ask("state", { type: "state", usernames })) as Extract<StoreNews, { type: "state" }>;
  }

  /** Until all that was sent has been acknowledged. */
  async idle(): Promise<void> {
    await this.state();
    while (this.#waiting.size > 0) await once(this.#child, "message");
  }

  /** No farewell: what was on the way is answered by nobody. */
  async kill(): Promise<void> {
    this.#waiting.clear();
    this.#child.kill("SIGKILL");
    await this.#ended;
  }

  #ask(answer: string, order: StoreOrder): Promise<StoreNews> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(answer, { resolve, reject });
      this.#child.send(order);
    });
  }

  #hear(news: StoreNews): void {
    if (news.type === "failed") {
      for (const { reject } of this.#waiting.values()) reject(new Error(news.message));
      return;
    }
    const answer = news.type === "recorded" ? `recorded ${news.number}` : news.type;
    this.#waiting.get(answer)?.resolve(news);
    this.#waiting.delete(answer);
  }
}
