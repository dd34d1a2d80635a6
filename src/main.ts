import { run } from "./cli/run.ts";
import { serve } from "./serve.ts";

/** Signals that end a command; a second one ends the process at once. */
const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;

function onInterrupt(action: () => void): () => void {
  let calls = 0;
  const called = () => {
    calls += 1;
    if (calls > 1) process.exit(130);
    action();
  };
  for (const signal of INTERRUPTS) process.on(signal, called);
  return () => {
    for (const signal of INTERRUPTS) process.off(signal, called);
  };
}

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  onInterrupt,
  serve: ({ configFile }) =>
    serve({
      configFile,
      env: process.env,
      complain: (line) => process.stderr.write(`${line}\n`),
      interrupted: new Promise((resolve) => void onInterrupt(resolve)),
      onReload: (action) => process.on("SIGHUP", action),
    }),
});
