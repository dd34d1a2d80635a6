import { text } from "node:stream/consumers";
import { inspect } from "node:util";
import { run } from "./cli/run.ts";

/** Signals that end a command; a second one ends the process at once. */
const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;
/** A signal to the whole process group also comes through the launcher: within this time it is the same one. */
const SAME_SIGNAL_MS = 500;

function onInterrupt(action: () => void): () => void {
  let calledAt: number | undefined;
  const called = () => {
    if (calledAt !== undefined && performance.now() - calledAt > SAME_SIGNAL_MS) process.exit(130);
    if (calledAt !== undefined) return;
    calledAt = performance.now();
    action();
  };
  for (const signal of INTERRUPTS) process.on(signal, called);
  return () => {
    for (const signal of INTERRUPTS) process.off(signal, called);
  };
}

/** As Node ends a process by itself. */
function die(error: unknown): never {
  process.stderr.write(`${inspect(error)}\n`);
  process.exit(1);
}

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt,
  readInput: async () => (process.stdin.isTTY ? undefined : text(process.stdin)),
  serve: async ({ configFile }) => {
    // Only here, so that the other commands do not load the whole hub.
    const { serve } = await import("./serve.ts");
    return serve({
      configFile,
      env: process.env,
      complain: (line) => process.stderr.write(`${line}\n`),
      interrupted: new Promise((resolve) => void onInterrupt(resolve)),
      onReload: (action) => process.on("SIGHUP", action),
      onExit: (action) => process.on("exit", action),
      onUncaught: (isAccountedFor) =>
        process.on("uncaughtException", (error) => void (isAccountedFor(error) || die(error))),
    });
  },
});
