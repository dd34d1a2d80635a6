import { AaaStage } from "./aaa-stage.ts";
import { type Part, partOf, turn } from "./aaa-turn.ts";
import { BenchProcess } from "./bench-process.ts";
import type { BusyCommands } from "./busy-process.ts";
import { type Measured, middle } from "./gauge.ts";
import type { Plan } from "./plan.ts";
import type { RestBackEndCommands } from "./rest-back-end-process.ts";
import type { Stage } from "./stage.ts";

/** Logins that an HTTP API decides at a steady pace, and accounting at its own beside them; medians over the rounds. */
export interface RestRow {
  readonly backEndMs: number;
  /** What was asked for, logins and records a second. */
  readonly restPerSecond: number;
  readonly accountingPerSecond: number;
  readonly rest: Measured;
  /** Logins never answered, or otherwise than with Access-Accept, of all rounds. */
  readonly failed: number;
  readonly accountingAlone: Measured;
  readonly accountingBeside: Measured;
  /** Beside a process that takes as much CPU as the logins took of the hub, and does nothing: what no hub could help. */
  readonly accountingBesideBusy: Measured;
  /** Records never answered, of all rounds. */
  readonly accountingLost: number;
}

const BACK_END_MS = 5;
/** A user a question: nothing is remembered. */
const USERS = 5_000;

export async function measureRest({ profileFolder }: Stage, plan: Plan): Promise<RestRow> {
  using stage = await AaaStage.make(profileFolder);
  await using backEnd = new BenchProcess<RestBackEndCommands>("rest-back-end-process.ts");
  await using hub = await stage.hub(modules(await backEnd.call("start", { afterMs: BACK_END_MS })));
  await using router = await stage.router(hub, "tls");
  await using accounting = await stage.accountingRouter(hub);
  await using busy = new BenchProcess<BusyCommands>("busy-process.ts");
  const usernames = Array.from({ length: USERS }, (_, index) => `guest-${index}`);
  const { restPerSecond, accountingPerSecond, seconds } = plan.aaaRest;
  const logins = () =>
    router.call("drive", {
      what: "login",
      usernames,
      password: "password",
      count: restPerSecond * seconds,
      rhythm: { perSecond: restPerSecond },
    });
  const records = () =>
    accounting.call("drive", {
      count: accountingPerSecond * seconds,
      rhythm: { perSecond: accountingPerSecond },
    });
  await Promise.all([logins(), records()]); // lets the engine compile
  const turns = { rest: [] as Part[], alone: [] as Part[], beside: [] as Part[], besideBusy: [] as Part[] };
  for (let round = 0; round < plan.rounds; round += 1) {
    const alone = await turn(hub.node, records);
    turns.alone.push(alone);
    await hub.node.call("begin", undefined);
    const [ofRest, ofRecords] = await Promise.all([logins(), records()]);
    const cost = await hub.node.call("end", undefined);
    // One process does both: what is beyond the cost of the records alone is that of the logins.
    const ofRecordsUs = alone.cpuUsEach * ofRecords.count;
    turns.rest.push(partOf(ofRest, { ...cost, cpuUs: cost.cpuUs - ofRecordsUs }));
    turns.beside.push(partOf(ofRecords, { ...cost, cpuUs: ofRecordsUs }));
    const share = (cost.cpuUs - ofRecordsUs) / (cost.seconds * 1_000_000);
    const spent = busy.call("spend", { share, forMs: seconds * 1_000 });
    turns.besideBusy.push(await turn(hub.node, records));
    await spent;
  }
  const failures = (parts: readonly Part[]): number => parts.reduce((sum, { failed }) => sum + failed, 0);
  return {
    backEndMs: BACK_END_MS,
    restPerSecond,
    accountingPerSecond,
    rest: middle(turns.rest),
    failed: failures(turns.rest),
    accountingAlone: middle(turns.alone),
    accountingBeside: middle(turns.beside),
    accountingBesideBusy: middle(turns.besideBusy),
    accountingLost: failures([...turns.alone, ...turns.beside, ...turns.besideBusy]),
  };
}

/** As examples/rest-backend, without a memory. */
function modules(port: number): string {
  return `
modules:
  instances:
    - module: rest
      name: backend
      settings:
        url: http://127.0.0.1:${port}
        authorize:
          method: post
          uri: /api/auth/radius-check
          body: json
          data: { username: "%{User-Name}", password: "%{User-Password}", calling_station_id: "%{Calling-Station-Id}" }
          control: { Auth-Type: Accept }
          reply: { Mikrotik-Rate-Limit: "%{json:bandwidth}", Session-Timeout: "%{json:remaining_time}" }
  sections:
    authorize: [backend]
    postauth: []
`;
}
