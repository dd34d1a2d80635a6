import { parseArgs } from "node:util";
import { HubError } from "../errors.ts";
import { BACKUP } from "./backup.ts";
import { CHECK } from "./check.ts";
import { type CliIo, type Command, EXIT, Options } from "./command.ts";
import { COA, DISCONNECT } from "./exchange-commands.ts";
import { commandHelp, GLOBAL_OPTIONS, overview } from "./help.ts";
import { LINKS } from "./links.ts";
import { NAS_SIM } from "./nas-sim.ts";
import { packageVersion } from "./package-files.ts";
import { PKI_INIT, PKI_ISSUE, PKI_REVOKE } from "./pki.ts";
import { SERVE } from "./serve.ts";
import { USERS_ADD, USERS_DELETE, USERS_LIST, USERS_SET } from "./users.ts";
import { Unreachable } from "./hub-api.ts";

const COMMANDS: readonly Command[] = [
  SERVE,
  CHECK,
  PKI_INIT,
  PKI_ISSUE,
  PKI_REVOKE,
  NAS_SIM,
  DISCONNECT,
  COA,
  LINKS,
  BACKUP,
  USERS_ADD,
  USERS_LIST,
  USERS_SET,
  USERS_DELETE,
];

/** Runs one command line, without the names of the runtime and of the program.
 *  @returns the exit code: one of EXIT. Never rejects. */
export async function run(argv: readonly string[], io: CliIo): Promise<number> {
  const chosen = COMMANDS.find(({ name }) => name.split(" ").every((word, index) => argv[index] === word));
  if (chosen === undefined) return withoutCommand(argv, io);
  const rest = argv.slice(chosen.name.split(" ").length);
  const parsed = parse(chosen, rest);
  if (typeof parsed === "string") {
    io.stderr.write(`${parsed}\nradsec-hub ${chosen.name} --help shows what there is\n`);
    return EXIT.usage;
  }
  const { options, positionals } = parsed;
  if (options.flag("help")) return say(io, commandHelp(chosen));
  if (options.flag("version")) return say(io, `${packageVersion()}\n`);
  const missing = chosen.positionals[positionals.length];
  if (missing !== undefined || positionals.length > chosen.positionals.length) {
    const problem = missing === undefined ? `unexpected argument "${positionals.at(-1)}"` : `${missing} is missing`;
    io.stderr.write(`${problem}\nradsec-hub ${chosen.name} --help shows what there is\n`);
    return EXIT.usage;
  }
  try {
    return await chosen.run({
      io,
      options,
      positionals,
      json: options.flag("json"),
      print: (line) => void io.stdout.write(`${line}\n`),
      complain: (line) => void io.stderr.write(`${line}\n`),
    });
  } catch (error) {
    return failed(error, options.flag("debug"), io);
  }
}

function parse(command: Command, argv: readonly string[]) {
  const specs = { ...command.options, ...GLOBAL_OPTIONS };
  const options = Object.fromEntries(
    Object.entries(specs).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true });
    return { options: new Options(values), positionals };
  } catch (error) {
    if (error instanceof TypeError && "code" in error) return error.message.split(". ")[0] as string;
    throw error;
  }
}

function withoutCommand(argv: readonly string[], io: CliIo): number {
  if (argv.includes("--version")) return say(io, `${packageVersion()}\n`);
  const family = COMMANDS.filter(({ name }) => name.startsWith(`${argv[0]} `));
  const helpWanted = argv.length === 0 || argv[0] === "help" || argv.includes("--help");
  if (helpWanted) return say(io, overview(family.length > 0 ? family : COMMANDS));
  const names = family.map(({ name }) => name).join(", ");
  const hint = family.length > 0 ? `write one of: ${names}` : "radsec-hub --help lists the commands";
  io.stderr.write(`"${argv.slice(0, 2).join(" ")}" is no command; ${hint}\n`);
  return EXIT.usage;
}

function say(io: CliIo, text: string): number {
  io.stdout.write(text);
  return EXIT.ok;
}

/** A mistake of the user is one line; what is nobody's mistake shows where it happened. */
function failed(error: unknown, debug: boolean, io: CliIo): number {
  const isExpected = error instanceof HubError || error instanceof Unreachable;
  const text = error instanceof Error ? error.message : String(error);
  const stack = error instanceof Error ? (error.stack ?? text) : text;
  io.stderr.write(`radsec-hub: ${isExpected && !debug ? text : stack}\n`);
  return error instanceof Unreachable ? EXIT.unreachable : EXIT.mistake;
}
