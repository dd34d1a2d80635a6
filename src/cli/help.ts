import { COMMON_EXITS, type Command, EXIT_CODE_MEANINGS, type OptionSpec } from "./command.ts";

/** Options of every command. */
export const GLOBAL_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  json: { type: "boolean", description: "print JSON, for machines" },
  debug: { type: "boolean", description: "show the stack of an error" },
  help: { type: "boolean", description: "show this help" },
  version: { type: "boolean", description: "show the version" },
};

/** The page that `radsec-hub --help` shows. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command) => [`  ${signature(command)}`, command.summary] as const);
  return [
    "Usage: radsec-hub COMMAND [OPTIONS]",
    "",
    "Reaches every router behind NAT: sends Disconnect and CoA down the RadSec link that the router opened.",
    "",
    "Commands:",
    ...columns(rows),
    "",
    "Every command:",
    ...columns(optionRows(GLOBAL_OPTIONS)),
    "",
    "Exit codes:",
    ...exitCodeLines(commands.flatMap(({ exits = [] }) => exits)),
    "",
    "radsec-hub COMMAND --help shows the options of a command and an example.",
    "",
  ].join("\n");
}

/** The page that `radsec-hub COMMAND --help` shows. */
export function commandHelp(command: Command): string {
  return [
    `Usage: radsec-hub ${signature(command)} [OPTIONS]`,
    "",
    command.summary,
    "",
    "Options:",
    ...columns(optionRows({ ...command.options, ...GLOBAL_OPTIONS })),
    "",
    "Example:",
    `  radsec-hub ${command.example}`,
    "",
    "Exit codes:",
    ...exitCodeLines(command.exits ?? []),
    "",
  ].join("\n");
}

function signature(command: Command): string {
  return [command.name, ...command.positionals].join(" ");
}

function optionRows(options: Readonly<Record<string, OptionSpec>>): (readonly [string, string])[] {
  return Object.entries(options).map(([name, { type, placeholder, multiple, description }]) => {
    const left = type === "string" ? `  --${name} ${placeholder ?? "VALUE"}` : `  --${name}`;
    return [left, multiple === true ? `${description}; may be repeated` : description];
  });
}

function exitCodeLines(besideCommon: readonly number[]): string[] {
  const codes = new Set([...COMMON_EXITS, ...besideCommon]);
  return EXIT_CODE_MEANINGS.filter(([code]) => codes.has(code)).map(([code, meaning]) => `  ${code}  ${meaning}`);
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length)) + 3;
  return rows.map(([left, right]) => `${left.padEnd(width)}${right}`);
}
