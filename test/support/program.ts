import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { once } from "node:events";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { onTestFinished } from "vitest";

/** How a program ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const KILL_AFTER_MS = 5_000;
const SAYS_WITHIN_MS = 15_000;

/** A child process whose words a test reads. It is stopped when the test is over, at the latest. */
export class Program {
  /** Standard output and standard error as they came, together and apart. */
  output = "";
  stdout = "";
  stderr = "";
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #ending: Ending | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    const heard = (stream: "stdout" | "stderr") => (text: string) => {
      this.output += text;
      this[stream] += text;
      this.#wake();
    };
    child.stdout?.setEncoding("utf8").on("data", heard("stdout"));
    child.stderr?.setEncoding("utf8").on("data", heard("stderr"));
    child.stdin?.on("error", () => undefined); // it has ended; `ended` says so
    this.ended = once(child, "close").then(([code, signal]) => {
      this.#ending = { code, signal };
      this.#wake();
      return this.#ending;
    });
  }

  static start(command: string, words: readonly string[], options: SpawnOptions = {}): Program {
    const program = new Program(spawn(command, words, { stdio: "pipe", ...options }));
    onTestFinished(() => program.stop().then(() => undefined));
    return program;
  }

  get running(): boolean {
    return this.#ending === undefined;
  }

  /** Sends `input` and ends standard input, or only ends it. */
  tell(input?: string | Buffer): void {
    this.#child.stdin?.end(input);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the first match in the output, also in what was said before. */
  async says(pattern: RegExp, withinMs: number = SAYS_WITHIN_MS): Promise<RegExpMatchArray> {
    const late = AbortSignal.timeout(withinMs);
    for (;;) {
      const found = this.output.match(pattern);
      if (found !== null) return found;
      if (!this.running || late.aborted) {
        throw new Error(`${this.running ? "not said in time" : "ended"}: ${pattern}\n${this.output}`);
      }
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#listeners.delete(wake);
          late.removeEventListener("abort", wake);
          resolve();
        };
        this.#listeners.add(wake);
        late.addEventListener("abort", wake);
      });
    }
  }

  /** Asks it to end, and makes it after a while. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Ending> {
    if (!this.running) return this.ended;
    this.#child.kill(signal);
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), KILL_AFTER_MS);
    const ending = await this.ended;
    clearTimeout(kill);
    return ending;
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Runs a program to its end. */
export async function runToEnd(
  command: string,
  words: readonly string[],
  input?: string,
): Promise<Ending & { readonly output: string; readonly stdout: string }> {
  const program = Program.start(command, words);
  program.tell(input);
  const ending = await program.ended;
  return { ...ending, output: program.output, stdout: program.stdout };
}

/** Where a program is, or undefined: daemons are in sbin, which the PATH of an ordinary user lacks. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/sbin", "/usr/local/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
