import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What a process of the benchmark can be asked to do: one argument in, one answer out, both plain data. */
export type Commands = Readonly<Record<string, (argument: never) => unknown>>;

interface Call {
  readonly call: number;
  readonly name: string;
  readonly argument: unknown;
}

interface Answer {
  readonly call: number;
  readonly answer?: unknown;
  readonly error?: string;
}

/** A process of the benchmark, seen from the one that started it. */
export class BenchProcess<C extends Commands> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #calls = new Map<number, PromiseWithResolvers<unknown>>();
  #last = 0;

  /** @param file its name in this folder
   *  @param profileFolder where it leaves a CPU profile when it ends */
  constructor(file: string, profileFolder?: string) {
    const profile = profileFolder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`];
    this.#child = fork(join(import.meta.dirname, file), [], {
      execArgv: ["--expose-gc", ...profile],
      serialization: "advanced",
    });
    this.#child.on("message", (message) => this.#settle(message as Answer));
    this.#child.on("exit", (code, signal) => {
      for (const { reject } of this.#calls.values()) reject(new Error(`${file} ended: ${signal ?? code}`));
    });
  }

  call<N extends keyof C & string>(name: N, argument: Parameters<C[N]>[0]): Promise<Awaited<ReturnType<C[N]>>> {
    const pending = Promise.withResolvers<unknown>();
    const call = (this.#last += 1);
    this.#calls.set(call, pending);
    this.#child.send({ call, name, argument } satisfies Call);
    return pending.promise as Promise<Awaited<ReturnType<C[N]>>>;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    if (this.#child.connected) this.#child.disconnect();
    await ended;
  }

  #settle({ call, answer, error }: Answer): void {
    const pending = this.#calls.get(call);
    this.#calls.delete(call);
    if (error === undefined) pending?.resolve(answer);
    else pending?.reject(new Error(error));
  }
}

/** The other side: answers commands until the process that started this one lets go. */
export function answerCommands(commands: Commands): void {
  process.on("message", (message) => {
    const { call, name, argument } = message as Call;
    const reply = (answer: Answer) => void process.send?.(answer);
    const run = async () => (commands[name] as (argument: unknown) => unknown)(argument);
    run().then(
      (answer) => reply({ call, answer }),
      (error: unknown) =>
        reply({ call, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  process.on("disconnect", () => process.exit(0));
}
