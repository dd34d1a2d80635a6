import { type LookUp, measureLookUps } from "./accounting-look-ups.ts";
import { type AccountingPair, AccountingStage, type AccountingWay } from "./accounting-stage.ts";
import { type Measured, median, middle } from "./gauge.ts";
import type { Seen } from "./load-router.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";

/** One way for accounting into the hub, and the floor that took turns with it; medians over the rounds. */
export interface AccountingRow extends Pick<AccountingWay, "what" | "transport" | "links"> {
  readonly inFlight: number;
  readonly hub: Measured;
  readonly bare: Measured;
  /** Records that were never answered, of all rounds. */
  readonly lost: number;
  /** Records a second against those of the floor in the same round; the median. */
  readonly ratio: number;
}

export interface AccountingRows {
  readonly rows: readonly AccountingRow[];
  /** Acct sessions in the index that look-ups were made in. */
  readonly acctSessions: number;
  readonly lookUps: readonly LookUp[];
}

/** Those of the targets first. */
const WAYS: readonly AccountingWay[] = [
  { what: "TLS", transport: "tls", links: 1 },
  { what: "TLS", transport: "tls", links: 4 },
  { what: "UDP", transport: "udp", links: 1 },
  { what: "TLS, coalesce: all", transport: "tls", links: 1, coalesce: true },
  { what: "TLS, one quota rule", transport: "tls", links: 1, quota: true },
];
/** Of all links together. */
const IN_FLIGHT = 128;
/** Records of the floor in one commit: as many as wait for the hub's. */
const BARE_BATCH = 128;

/** Accounting that is stored durably before it is answered, beside bare batched upserts into the same schema. */
export async function measureAccounting({ profileFolder }: Stage, plan: Plan): Promise<AccountingRows> {
  using stage = await AccountingStage.make(profileFolder);
  const rows: AccountingRow[] = [];
  for (const way of WAYS.slice(0, plan.accountingWays)) rows.push(await measureWay(stage, way, plan));
  return { rows, acctSessions: plan.acctSessions, lookUps: await measureLookUps(stage.folder, plan.acctSessions) };
}

async function measureWay(stage: AccountingStage, way: AccountingWay, plan: Plan): Promise<AccountingRow> {
  await using hub = await stage.hub(way);
  await using bare = await stage.bare(way.links);
  await hub.load(plan.accountingHeat, IN_FLIGHT);
  await bare.call("drive", { batch: BARE_BATCH, count: plan.accountingHeat });
  const turns = { hub: [] as Measured[], bare: [] as Measured[], ratios: [] as number[] };
  let lost = 0;
  for (let round = 0; round < plan.rounds; round += 1) {
    const ofHub = await oneTurn(hub, plan.accountingRecords);
    const ofBare = await bare.call("drive", { batch: BARE_BATCH, count: plan.accountingRecords });
    lost += ofHub.lost;
    turns.hub.push(ofHub);
    turns.bare.push(ofBare);
    turns.ratios.push(ofHub.perSecond / ofBare.perSecond);
  }
  await hub.verify();
  const { what, transport, links } = way;
  const ratio = median(turns.ratios);
  return { what, transport, links, inFlight: IN_FLIGHT, hub: middle(turns.hub), bare: middle(turns.bare), lost, ratio };
}

async function oneTurn(hub: AccountingPair, count: number): Promise<Measured & Pick<Seen, "lost">> {
  const { cost, lost, seconds, p50Ms, p99Ms, count: answered } = await hub.load(count, IN_FLIGHT);
  return {
    count: answered,
    lost,
    perSecond: answered / seconds,
    p50Ms,
    p99Ms,
    cpuUsEach: cost.cpuUs / answered,
    loopDelayP99Ms: cost.loopDelayP99Ms,
  };
}
