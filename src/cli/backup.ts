import { resolve } from "node:path";
import { HubError } from "../errors.ts";
import { type Command, type CommandContext, EXIT } from "./command.ts";
import { readConfig } from "./config-file.ts";
import { callHub, HUB_OPTIONS, problemLine } from "./hub-api.ts";
import { printable } from "./printable.ts";
import { CONFIG_OPTION } from "./serve.ts";

export const BACKUP: Command = {
  name: "backup",
  summary: "Copies the embedded store to FILE, of a hub that runs or one that does not.",
  positionals: ["FILE"],
  options: {
    ...CONFIG_OPTION,
    ...HUB_OPTIONS,
    url: {
      type: "string",
      placeholder: "URL",
      description: "let the hub there do it: FILE is then a name in the folder store.backups of its hub.yaml",
    },
  },
  exits: [EXIT.unreachable],
  example: "backup /var/backups/hub.db",
  run: (context) => (context.options.text("url") === undefined ? copy(context) : ask(context)),
};

/** Reads the file of the store itself, which stops nobody who writes to it. */
async function copy(context: CommandContext): Promise<number> {
  const { io, positionals } = context;
  const { store } = await readConfig(io, context.options.text("config"));
  if (store.kind !== "sqlite") {
    throw new HubError("ERR_INPUT", "the store is a MongoDB: mongodump makes a backup of it");
  }
  const { backupDatabase } = await import("../store/sqlite/backup.ts");
  const file = resolve(io.cwd, positionals[0] ?? "");
  const octets = await backupDatabase(resolve(io.cwd, store.file), file);
  return told(context, { file, octets });
}

async function ask(context: CommandContext): Promise<number> {
  const answer = await callHub(context, "POST", "/v1/backup", { name: context.positionals[0] });
  if (answer.status === 200) return told(context, answer.body);
  if (context.json) context.print(JSON.stringify(answer.body));
  else context.complain(problemLine(answer));
  return EXIT.mistake;
}

function told({ json, print }: CommandContext, done: Readonly<Record<string, unknown>>): number {
  print(json ? JSON.stringify(done) : `${printable(String(done["file"]))}: ${String(done["octets"])} octets`);
  return EXIT.ok;
}
