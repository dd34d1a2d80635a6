import type { Clock, Random } from "../clock.ts";
import { HubError } from "../errors.ts";

/** What main.ts gives to the commands: nothing below it touches the process. */
export interface CliIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  /** Calls `action` when the user wants to end (Ctrl-C, SIGTERM). @returns a function that takes it back */
  readonly onInterrupt: (action: () => void) => () => void;
  /** Runs a hub until it is told to stop. @returns the exit code */
  readonly serve: (options: ServeOptions) => Promise<number>;
  /** All of standard input, as text; undefined where it is a terminal. */
  readonly readInput?: () => Promise<string | undefined>;
  /** Tests pass their own. */
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
  readonly random?: Random;
}

interface Output {
  write(text: string): unknown;
}

export interface ServeOptions {
  /** Absolute path of hub.yaml. */
  readonly configFile: string;
  readonly debug: boolean;
}

/** Exit codes are API, as HTTP statuses are. */
export const EXIT = {
  ok: 0,
  mistake: 1,
  usage: 2,
  nak: 3,
  timeout: 4,
  noRoute: 5,
  busy: 6,
  unreachable: 7,
} as const;

/** Exit codes of every command. */
export const COMMON_EXITS: readonly number[] = [EXIT.ok, EXIT.mistake, EXIT.usage];

export const EXIT_CODE_MEANINGS: readonly (readonly [number, string])[] = [
  [EXIT.ok, "done; ack"],
  [EXIT.mistake, "a mistake in the input or the configuration"],
  [EXIT.usage, "the command line cannot be understood"],
  [EXIT.nak, "nak: the NAS refused"],
  [EXIT.timeout, "timeout: the NAS did not answer, and may have acted"],
  [EXIT.noRoute, "no-route: no link leads to the NAS, or no open acct session fits"],
  [EXIT.busy, "busy or closed: the link could not carry the request to its end"],
  [EXIT.unreachable, "the hub cannot be reached"],
];

export interface OptionSpec {
  readonly type: "string" | "boolean";
  readonly description: string;
  /** Shown in the help after an option of type string. */
  readonly placeholder?: string;
  readonly multiple?: boolean;
}

/** One subcommand; `name` has the words that select it. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  /** Names of the positional arguments, all of them required. */
  readonly positionals: readonly string[];
  readonly options: Readonly<Record<string, OptionSpec>>;
  /** Exit codes beside COMMON_EXITS. */
  readonly exits?: readonly number[];
  /** A line that works, without "radsec-hub". */
  readonly example: string;
  readonly run: (context: CommandContext) => Promise<number>;
}

export interface CommandContext {
  readonly io: CliIo;
  readonly options: Options;
  readonly positionals: readonly string[];
  /** Machine output was asked for. */
  readonly json: boolean;
  /** Writes a line to standard output. */
  readonly print: (line: string) => void;
  /** Writes a line to standard error. */
  readonly complain: (line: string) => void;
}

type OptionValue = string | boolean | (string | boolean)[] | undefined;

/** The options of one command line, by name and in the type that the command declared. */
export class Options {
  readonly #values: Readonly<Record<string, OptionValue>>;

  constructor(values: Readonly<Record<string, OptionValue>>) {
    this.#values = values;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** @throws {HubError} ERR_INPUT when it is not given */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined || value === "") throw new HubError("ERR_INPUT", `--${name} is required`);
    return value;
  }

  flag(name: string): boolean {
    return this.#values[name] === true;
  }

  list(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
  }

  /** @throws {HubError} ERR_INPUT when it is not a whole number within the inclusive bounds */
  whole(name: string, fallback: number, min: number, max: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!(number >= min && number <= max)) {
      throw new HubError("ERR_INPUT", `--${name} must be a whole number from ${min} to ${max}`);
    }
    return number;
  }
}

/** Splits "name=value" at the first "=".
 *  @throws {HubError} ERR_INPUT, naming the option */
export function parsePair(text: string, option: string): readonly [name: string, value: string] {
  const at = text.indexOf("=");
  if (at < 1) throw new HubError("ERR_INPUT", `--${option} must be written NAME=VALUE`);
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}
