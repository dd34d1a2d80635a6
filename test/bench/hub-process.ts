/** The hub under test and, because a trigger in-process needs it, the load driver. null() says what the driver itself costs. */
import type { ExchangeRequest } from "../../src/dynauth/exchange-request.ts";
import type { Outcome } from "../../src/dynauth/outcome.ts";
import type { Hub } from "../../src/hub.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { answerCommands } from "./bench-process.ts";
import { Durations, Gauge, type Load, type Measured, measureWhile, residentBytes } from "./gauge.ts";
import { type HubPorts, startHub } from "./hub-under-test.ts";
import { nasName } from "./nas-name.ts";

type Exchange = (request: ExchangeRequest) => Promise<readonly Outcome[]>;

let hub: Hub;
const durations = new Durations();
const gauge = new Gauge();

/** @param yaml the hub's configuration */
async function start(yaml: string): Promise<HubPorts> {
  const started = await startHub(yaml);
  hub = started.hub;
  return started.ports;
}

function requestTo(link: number): ExchangeRequest {
  return {
    code: CODE.disconnectRequest,
    target: { nasIdentifier: nasName(link + 1) },
    attributes: [
      textAttribute(ATTRIBUTE.userName, "guest@example.net"),
      textAttribute(ATTRIBUTE.acctSessionId, "80000001-6553c1a7-00ff"),
    ],
    trigger: "udp", // as a DAC asks: what the API asks for is written into the audit as well, and has a row of its own
  };
}

/** Keeps `inFlight` exchanges under way: each one that ends begins the next. */
async function drive(exchange: Exchange, load: Load): Promise<Measured> {
  let running = true;
  const failed: string[] = [];
  const caller = async (_: unknown, index: number): Promise<void> => {
    const request = requestTo(index % load.links);
    while (running) {
      const began = performance.now();
      const [outcome] = await exchange(request);
      durations.add(performance.now() - began);
      if (outcome?.kind !== "ack") failed.push(outcome?.kind ?? "nothing");
    }
  };
  const callers = Promise.all(Array.from({ length: load.inFlight }, caller));
  const result = await measureWhile(durations, load);
  running = false;
  await callers;
  if (failed.length > 0) throw new Error(`${failed.length} exchanges ended otherwise than ack: ${failed[0]}`);
  return result;
}

/** Settles everything asked for in one turn of the event loop at its end. */
function nothing(): Exchange {
  let waiting: ((outcomes: readonly Outcome[]) => void)[] = [];
  const outcomes = [{ kind: "ack" } as Outcome];
  return () =>
    new Promise((resolve) => {
      if (waiting.push(resolve) > 1) return;
      setImmediate(() => {
        const settled = waiting;
        waiting = [];
        for (const settle of settled) settle(outcomes);
      });
    });
}

const commands = {
  start,
  drive: (load: Load) => drive((request) => hub.dynauth.exchange(request), load),
  driveNothing: (load: Load) => drive(nothing(), load),
  begin: () => gauge.begin(),
  end: () => gauge.end(),
  residentBytes: () => residentBytes(),
  links: () => hub.registry.size,
};
export type HubCommands = typeof commands;
answerCommands(commands);
