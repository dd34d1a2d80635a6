import { type Problem, problemText } from "../config/problem.ts";
import { type Command, type CommandContext, EXIT } from "./command.ts";
import { loadConfigFile } from "./config-file.ts";
import { CONFIG_OPTION } from "./serve.ts";

export const CHECK: Command = {
  name: "check",
  summary: "Checks hub.yaml and prints every mistake with its place.",
  positionals: [],
  options: CONFIG_OPTION,
  example: "check --config config/hub.yaml",
  run: check,
};

/** Mistakes make it fail; warnings are shown and do not. */
async function check(context: CommandContext): Promise<number> {
  const { io, options, json, print } = context;
  const { file, loaded } = await loadConfigFile(io, options.text("config"));
  const mistakes = loaded.ok ? [] : loaded.problems;
  const warnings = loaded.ok ? loaded.warnings : [];
  if (json) {
    print(JSON.stringify({ ok: loaded.ok, problems: mistakes, warnings }));
  } else {
    for (const mistake of mistakes) print(problemText(mistake));
    for (const warning of warnings) print(warningText(warning));
    print(verdict(file, mistakes.length, warnings.length));
  }
  return loaded.ok ? EXIT.ok : EXIT.mistake;
}

function warningText(warning: Problem): string {
  return problemText({ ...warning, message: `warning: ${warning.message}` });
}

function verdict(file: string, mistakes: number, warnings: number): string {
  if (mistakes > 0) return `${file}: ${counted(mistakes, "mistake")}`;
  return warnings > 0 ? `${file}: can be used, ${counted(warnings, "warning")}` : `${file}: no mistakes`;
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
