/** Takes CPU, and has nothing to do with the hub: what a load beside it costs a machine by that alone. */
import { answerCommands } from "./bench-process.ts";

const TICK_MS = 2;

/** @param share of one core */
function spend({ share, forMs }: { readonly share: number; readonly forMs: number }): Promise<void> {
  const beganAt = performance.now();
  const before = process.cpuUsage();
  const spentMs = (): number => {
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  return new Promise((resolve) => {
    const tick = setInterval(() => {
      const passedMs = performance.now() - beganAt;
      while (spentMs() < Math.min(passedMs, forMs) * share);
      if (passedMs < forMs) return;
      clearInterval(tick);
      resolve();
    }, TICK_MS);
  });
}

const commands = { spend };
export type BusyCommands = typeof commands;
answerCommands(commands);
