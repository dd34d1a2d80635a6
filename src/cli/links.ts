import { type Command, type CommandContext, EXIT } from "./command.ts";
import { callHub, HUB_OPTIONS, problemLine } from "./hub-api.ts";
import { printable } from "./printable.ts";
import { textTable } from "./text-table.ts";

export const LINKS: Command = {
  name: "links",
  summary: "Lists the live links of a running hub.",
  positionals: [],
  options: {
    nas: { type: "string", placeholder: "NAME", description: "only those of this NAS-Identifier" },
    ...HUB_OPTIONS,
  },
  exits: [EXIT.unreachable],
  example: "links --url http://127.0.0.1:4000",
  run: links,
};

type LinkJson = Readonly<Record<string, unknown>>;

async function links(context: CommandContext): Promise<number> {
  const { options, json, print, complain } = context;
  const nas = options.text("nas");
  const found: LinkJson[] = [];
  let cursor: unknown;
  do {
    const query = new URLSearchParams({ limit: "1000" });
    if (nas !== undefined) query.set("nas_identifier", nas);
    if (typeof cursor === "string") query.set("cursor", cursor);
    const { status, body } = await callHub(context, "GET", `/v1/links?${query.toString()}`);
    if (status !== 200 || !Array.isArray(body["links"])) {
      if (json) print(JSON.stringify(body));
      else complain(problemLine({ status, body }));
      return EXIT.mistake;
    }
    found.push(...(body["links"] as LinkJson[]));
    cursor = body["next_cursor"];
  } while (typeof cursor === "string");
  if (json) print(JSON.stringify({ links: found }));
  else if (found.length === 0) print("no links");
  else print(textTable(HEAD, found.map(row)));
  return EXIT.ok;
}

const HEAD = ["NAS", "LINK", "PEER", "ADDRESS", "LISTENER", "CLIENT", "UP SINCE", "IN FLIGHT"];

function row(link: LinkJson): string[] {
  const names = [...listOf(link["nas_identifiers"]), ...listOf(link["nas_addresses"])];
  const peer = link["peer"] as { readonly label?: unknown } | undefined;
  return [
    names.join(" ") || "-",
    cell(link["link_id"]),
    cell(peer?.label),
    `${cell(link["address"])}:${cell(link["port"])}`,
    cell(link["listener"]),
    cell(link["client"]),
    cell(link["connected_at"]),
    cell(link["in_flight"]),
  ];
}

function listOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(cell) : [];
}

function cell(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? printable(String(value)) : "-";
}
