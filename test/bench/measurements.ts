import { BenchProcess } from "./bench-process.ts";
import { type Load, type Measured, middle } from "./gauge.ts";
import type { HttpLoadCommands } from "./http-load-process.ts";
import { nasName } from "./nas-name.ts";
import type { Plan } from "./plan.ts";
import { MESSAGE_BYTES, type Pair, type Stage } from "./stage.ts";

/** One load on the hub and on the floor. */
export interface Row {
  readonly what: string;
  readonly links: number;
  readonly inFlight: number;
  readonly hub: Measured;
  readonly bare: Measured;
}

export interface ExchangeRows {
  readonly rows: readonly Row[];
  /** What the driver in the hub's process costs an exchange at 128 in flight, with no hub behind it. */
  readonly driverCpuUsEach: number;
  /** Hub CPU at 128 in flight on one link with log level warn: no line for each exchange. */
  readonly quietCpuUsEach: number;
}

/** Lets the engine compile what is measured afterwards. */
async function heat(plan: Plan, ...pairs: readonly Pair[]): Promise<void> {
  for (const { node } of pairs) await node.call("drive", { links: 1, inFlight: 128, warmUpMs: plan.heatMs, forMs: 1 });
}

/** Exchanges that are triggered in the hub's process. */
export async function measureExchanges(stage: Stage, plan: Plan): Promise<ExchangeRows> {
  const linksMax = Math.max(...plan.exchanges.map(([links]) => links));
  await using hub = await stage.hub();
  await using quiet = await stage.hub("warn");
  await using bare = await stage.bare();
  await Promise.all([hub.open(linksMax, 1), quiet.open(1, 1), bare.open(linksMax, 1)]);
  await heat(plan, hub, quiet, bare);
  const rows: Row[] = [];
  for (const [links, inFlight] of plan.exchanges) {
    const load = { links, inFlight, warmUpMs: plan.warmUpMs, forMs: plan.forMs };
    rows.push(await takeTurns(hub, bare, load, plan.rounds));
  }
  const load = { links: 1, inFlight: 128, warmUpMs: plan.warmUpMs, forMs: plan.forMs };
  const still: Measured[] = [];
  for (let round = 0; round < plan.rounds; round += 1) still.push(await quiet.node.call("drive", load));
  const { octetsEach, bad } = await hub.routers.call("seen", undefined);
  if (bad > 0 || octetsEach !== MESSAGE_BYTES) {
    throw new Error(`the routers saw ${bad} bad requests of ${octetsEach} octets`);
  }
  return {
    rows,
    driverCpuUsEach: (await hub.node.call("driveNothing", load)).cpuUsEach,
    quietCpuUsEach: middle(still).cpuUsEach,
  };
}

/** Exchanges that other processes trigger by POST /disconnect. The floor is node:http that sends one message over node:tls. */
export async function measureHttp(stage: Stage, plan: Plan): Promise<readonly Row[]> {
  await using callers = new BenchProcess<HttpLoadCommands>("http-load-process.ts");
  await using hub = await stage.hub();
  await using bare = await stage.bare();
  await Promise.all([hub.open(1, 1), bare.open(1, 1)]);
  const path = `/disconnect?nas_identifier=${nasName(1)}&username=guest%40example.net&session_id=80000001-6553c1a7-00ff`;
  const one = async ({ node, httpPort }: Pair, connections: number) => {
    const load = { port: httpPort, path, connections, warmUpMs: 0, forMs: plan.forMs };
    await callers.call("drive", { ...load, forMs: plan.warmUpMs });
    await node.call("begin", undefined);
    const seen = await callers.call("drive", load);
    const cost = await node.call("end", undefined);
    return { ...seen, cpuUsEach: cost.cpuUs / seen.count, loopDelayP99Ms: cost.loopDelayP99Ms };
  };
  for (const { httpPort } of [hub, bare]) {
    await callers.call("drive", { port: httpPort, path, connections: 32, warmUpMs: plan.heatMs, forMs: 1 });
  }
  const rows: Row[] = [];
  for (const connections of plan.http) {
    const ofHub: Measured[] = [];
    const ofBare: Measured[] = [];
    for (let round = 0; round < plan.rounds; round += 1) {
      ofHub.push(await one(hub, connections));
      ofBare.push(await one(bare, connections));
    }
    rows.push({
      what: "POST /disconnect",
      links: 1,
      inFlight: connections,
      hub: middle(ofHub),
      bare: middle(ofBare),
    });
  }
  return rows;
}

/** Resident memory that so many idle links take. */
export interface IdleMemory {
  readonly links: number;
  /** The floor may have reached another number in its time. */
  readonly bareLinks: number;
  readonly hubBytesEach: number;
  readonly bareBytesEach: number;
}

export interface IdleRows {
  readonly memory: readonly IdleMemory[];
  /** One busy link beside all the idle ones, and in a hub with no other link; the same for the floor. */
  readonly latency: readonly { readonly inFlight: number; readonly idle: Row; readonly alone: Row }[];
  readonly handshakesPerSecond: { readonly hub: number; readonly bare: number };
}

/** Idle links have said who they are by one Status-Server, and are in the registry under a name of their own. */
export async function measureIdle(stage: Stage, plan: Plan): Promise<IdleRows> {
  await using hub = await stage.hub();
  await using bare = await stage.bare();
  const ofHub = await fill(hub, plan);
  const ofBare = await fill(bare, plan);
  const memory = ofHub.steps.map(({ links, bytesEach }, index) => ({
    links,
    bareLinks: ofBare.steps[index]?.links ?? NaN,
    hubBytesEach: bytesEach,
    bareBytesEach: ofBare.steps[index]?.bytesEach ?? NaN,
  }));
  await using hubAlone = await stage.hub();
  await using bareAlone = await stage.bare();
  await Promise.all([hubAlone.open(1, 1), bareAlone.open(1, 1)]);
  await heat(plan, hub, hubAlone, bare, bareAlone);
  const latency: IdleRows["latency"][number][] = [];
  for (const inFlight of plan.besideIdle) {
    const load = { links: 1, inFlight, warmUpMs: plan.warmUpMs, forMs: plan.forMs / 2 };
    const turns: { hub: Measured[]; bare: Measured[]; hubAlone: Measured[]; bareAlone: Measured[] } = {
      hub: [],
      bare: [],
      hubAlone: [],
      bareAlone: [],
    };
    // One after the other within a round: what else the machine does meets all of them.
    for (let round = 0; round < 2 * plan.rounds - 1; round += 1) {
      turns.hub.push(await hub.node.call("drive", load));
      turns.hubAlone.push(await hubAlone.node.call("drive", load));
      turns.bare.push(await bare.node.call("drive", load));
      turns.bareAlone.push(await bareAlone.node.call("drive", load));
    }
    const row = (what: string, a: readonly Measured[], b: readonly Measured[]): Row => ({
      what,
      links: 1,
      inFlight,
      hub: middle(a),
      bare: middle(b),
    });
    latency.push({
      inFlight,
      idle: row(`beside ${ofHub.links} idle`, turns.hub, turns.bare),
      alone: row("alone", turns.hubAlone, turns.bareAlone),
    });
  }
  return { memory, latency, handshakesPerSecond: { hub: ofHub.perSecond, bare: ofBare.perSecond } };
}

/** Links that are open, and have worked, before the first look: what opens one is compiled by then, and the heap as large as work
 *  makes it. */
const WARM_LINKS = 20;

interface Filled {
  readonly links: number;
  readonly perSecond: number;
  readonly steps: readonly { readonly links: number; readonly bytesEach: number }[];
}

async function fill(pair: Pair, plan: Plan): Promise<Filled> {
  await pair.open(WARM_LINKS, 1);
  await heat(plan, pair);
  const before = await pair.node.call("residentBytes", undefined);
  const steps: { links: number; bytesEach: number }[] = [];
  let links = 0;
  let seconds = 0;
  for (const wanted of plan.idle) {
    const opened = await pair.open(wanted - links, 1 + WARM_LINKS + links, plan.openForMs - seconds * 1_000);
    links += opened.open;
    seconds += opened.seconds;
    const bytesEach = ((await pair.node.call("residentBytes", undefined)) - before) / links;
    steps.push({ links, bytesEach });
  }
  return { links, perSecond: links / seconds, steps };
}

async function takeTurns(hub: Pair, bare: Pair, load: Load, rounds: number): Promise<Row> {
  const ofHub: Measured[] = [];
  const ofBare: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    ofHub.push(await hub.node.call("drive", load));
    ofBare.push(await bare.node.call("drive", load));
  }
  const { links, inFlight } = load;
  return { what: "in-process", links, inFlight, hub: middle(ofHub), bare: middle(ofBare) };
}
