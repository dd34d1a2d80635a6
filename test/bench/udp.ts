import { median } from "./gauge.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { missingTool, type UdpPath, UdpStage } from "./udp-stage.ts";

/** One load on one of the two: medians over the rounds, and everything that was lost. */
export interface UdpMeasured {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuUsEach: number;
  readonly lost: number;
}

export interface UdpRow {
  readonly nases: number;
  readonly inFlight: number;
  readonly hub: UdpMeasured;
  /** Without a line in the log for each exchange. */
  readonly quiet: UdpMeasured;
  readonly relay: UdpMeasured;
}

/** Disconnect UDP -> hub -> TLS -> NAS, beside a bare relay; "not measured" says what is not here. */
export type UdpRows = { readonly rows: readonly UdpRow[] } | { readonly notMeasured: string };

/** Lets the engine compile what is measured afterwards. */
const HEAT_IN_FLIGHT = 128;

export async function measureUdp({ profileFolder }: Stage, plan: Plan): Promise<UdpRows> {
  const missing = missingTool();
  if (missing !== undefined) return { notMeasured: `${missing} is not here` };
  let stage: UdpStage;
  try {
    stage = await UdpStage.make(profileFolder);
  } catch (error) {
    return { notMeasured: `radload.c was not compiled: ${String(error).split("\n")[0]}` };
  }
  using _ = stage;
  const rows: UdpRow[] = [];
  for (const nases of new Set(plan.udp.map(([each]) => each))) {
    await using hub = await stage.hub(nases);
    await using quiet = await stage.hub(nases, "warn");
    await using relay = await stage.relay(nases);
    for (const path of [hub, quiet, relay]) await path.load(plan.udpHeat, HEAT_IN_FLIGHT);
    for (const [, inFlight, count] of plan.udp.filter(([each]) => each === nases)) {
      const turns = { hub: [] as Turn[], quiet: [] as Turn[], relay: [] as Turn[] };
      for (let round = 0; round < plan.rounds; round += 1) {
        turns.hub.push(await oneTurn(hub, count, inFlight));
        turns.relay.push(await oneTurn(relay, count, inFlight));
        turns.quiet.push(await oneTurn(quiet, count, inFlight));
      }
      const { hub: ofHub, quiet: ofQuiet, relay: ofRelay } = turns;
      rows.push({ nases, inFlight, hub: middle(ofHub), quiet: middle(ofQuiet), relay: middle(ofRelay) });
    }
    for (const path of [hub, quiet]) {
      const { bad } = await path.seen();
      if (bad > 0) throw new Error(`the NASes saw ${bad} requests with wrong authenticators`);
    }
  }
  return { rows };
}

type Turn = UdpMeasured;

async function oneTurn(path: UdpPath, count: number, inFlight: number): Promise<Turn> {
  const { cost, perSecond, p50Ms, p99Ms, acked } = await path.load(count, inFlight);
  return { perSecond, p50Ms, p99Ms, cpuUsEach: cost.cpuUs / count, lost: count - acked };
}

function middle(turns: readonly Turn[]): UdpMeasured {
  const of = (key: keyof Turn): number => median(turns.map((turn) => turn[key]));
  return {
    perSecond: of("perSecond"),
    p50Ms: of("p50Ms"),
    p99Ms: of("p99Ms"),
    cpuUsEach: of("cpuUsEach"),
    lost: turns.reduce((sum, { lost }) => sum + lost, 0),
  };
}
