/** A hub that takes accounting and logins, and nothing else in its process. */
import type { Hub } from "../../src/hub.ts";
import { answerCommands } from "./bench-process.ts";
import { Gauge } from "./gauge.ts";
import { type HubPorts, startHub } from "./hub-under-test.ts";

let hub: Hub;
const gauge = new Gauge();

/** @param yaml the hub's configuration */
async function start(yaml: string): Promise<HubPorts> {
  const started = await startHub(yaml);
  hub = started.hub;
  return started.ports;
}

const commands = { start, stop: () => hub.stop(), begin: () => gauge.begin(), end: () => gauge.end() };
export type AccountingHubCommands = typeof commands;
answerCommands(commands);
