import type { CliIo, ServeOptions } from "../../src/cli/command.ts";

/** What a command wrote and asked for, instead of a terminal and a process. */
export class CapturedIo implements CliIo {
  out = "";
  err = "";
  readonly env: Record<string, string | undefined> = {};
  readonly cwd: string;
  readonly served: ServeOptions[] = [];
  /** Standard input; undefined: a terminal. */
  input: string | undefined;
  readonly readInput = () => Promise.resolve(this.input);
  readonly #interrupts = new Set<() => void>();
  readonly stdout = { write: (text: string) => (this.out += text) };
  readonly stderr = { write: (text: string) => (this.err += text) };

  constructor(cwd: string) {
    this.cwd = cwd;
  }

  readonly onInterrupt = (action: () => void) => {
    this.#interrupts.add(action);
    return () => this.#interrupts.delete(action);
  };

  readonly serve = (options: ServeOptions) => {
    this.served.push(options);
    return Promise.resolve(0);
  };

  /** Lines of standard output. */
  get lines(): string[] {
    return this.out.split("\n").filter((line) => line !== "");
  }

  /** How many wait for Ctrl-C. */
  get waiting(): number {
    return this.#interrupts.size;
  }

  /** Ctrl-C. */
  interrupt(): void {
    for (const action of this.#interrupts) action();
  }
}
