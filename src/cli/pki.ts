import { existsSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { systemClock } from "../clock.ts";
import { HubError } from "../errors.ts";
import { type Command, type CommandContext, EXIT, type OptionSpec } from "./command.ts";

export const PKI_FOLDER = "var/pki";

const FOLDER_OPTION: Readonly<Record<string, OptionSpec>> = {
  folder: { type: "string", placeholder: "FOLDER", description: `the development PKI (default ${PKI_FOLDER})` },
};

export const PKI_INIT: Command = {
  name: "pki init",
  summary: "Makes a CA and a hub certificate, where there are none yet.",
  positionals: [],
  options: {
    ...FOLDER_OPTION,
    name: {
      type: "string",
      multiple: true,
      placeholder: "NAME",
      description: "DNS name or address of the hub, beside localhost, 127.0.0.1 and ::1",
    },
  },
  example: "pki init --name hub.example.net",
  run: init,
};

export const PKI_ISSUE: Command = {
  name: "pki issue",
  summary: "Issues a key and a certificate for a router.",
  positionals: ["NAME"],
  options: {
    ...FOLDER_OPTION,
    days: { type: "string", placeholder: "DAYS", description: "validity (default 365)" },
    dns: { type: "string", multiple: true, placeholder: "NAME", description: "DNS name in the certificate" },
    ip: { type: "string", multiple: true, placeholder: "IP", description: "address in the certificate" },
    force: { type: "boolean", description: "issue again what was issued under this name" },
  },
  example: "pki issue shop-7",
  run: issue,
};

export const PKI_REVOKE: Command = {
  name: "pki revoke",
  summary: "Revokes all certificates of a router: it is refused, and its links end.",
  positionals: ["NAME"],
  options: FOLDER_OPTION,
  example: "pki revoke shop-7",
  run: revoke,
};

async function init(context: CommandContext): Promise<number> {
  const names = context.options.list("name");
  // Without --name the names of an existing certificate stay as they are.
  const pki = await open(context, names.length > 0 ? names : undefined);
  const expiry = pki.expiry().map(({ what, notAfterMs }) => ({ what, notAfter: new Date(notAfterMs).toISOString() }));
  show(context, {
    ca: pki.ca.certificateFile,
    certificate: pki.hub.certificateFile,
    key: pki.hub.keyFile,
    ...Object.fromEntries(expiry.map(({ what, notAfter }) => [`${what} ends`, notAfter])),
  });
  return EXIT.ok;
}

async function issue(context: CommandContext): Promise<number> {
  const { options, positionals } = context;
  const [name] = positionals as [string];
  const pki = await open(context);
  const days = options.text("days") === undefined ? undefined : options.whole("days", 0, 1, 3650);
  const issued = await pki.issueNas(name, {
    dns: options.list("dns"),
    ip: options.list("ip"),
    force: options.flag("force"),
    ...(days === undefined ? {} : { days }),
  });
  show(context, {
    ca: issued.caFile,
    certificate: issued.certificateFile,
    key: issued.keyFile,
    ends: new Date(issued.notAfterMs).toISOString(),
  });
  return EXIT.ok;
}

async function revoke(context: CommandContext): Promise<number> {
  const [name] = context.positionals as [string];
  const named = context.options.text("folder") ?? PKI_FOLDER;
  if (!existsSync(join(resolve(context.io.cwd, named), "ca"))) {
    throw new HubError("ERR_NOT_FOUND", `${named} holds no PKI; --folder names another`);
  }
  const pki = await open(context);
  const serials = await pki.revokeNas(name);
  show(context, {
    revoked: serials.join(", "),
    list: pki.crl?.file ?? "",
    ...(!context.json && { takes: "effect when the hub reads it: at SIGHUP, else within six hours" }),
  });
  return EXIT.ok;
}

async function open({ io, options, complain }: CommandContext, hubNames?: readonly string[]) {
  // Loaded when asked for: the other commands start without the certificate library.
  const { openPki } = await import("../../pki/development.ts");
  const named = options.text("folder") ?? PKI_FOLDER;
  const folder = resolve(io.cwd, named);
  if (!existsSync(join(folder, "ca"))) complain(`${named}: making a new CA and hub certificate`);
  return openPki(folder, { clock: io.clock ?? systemClock, ...(hubNames === undefined ? {} : { hubNames }) });
}

/** Files as the user would type them here; absolute in JSON. */
function show({ io, json, print }: CommandContext, facts: Readonly<Record<string, string>>): void {
  if (json) {
    print(JSON.stringify(facts));
    return;
  }
  const width = Math.max(...Object.keys(facts).map((key) => key.length));
  for (const [key, value] of Object.entries(facts)) {
    const shown = value.startsWith(`${io.cwd}/`) ? relative(io.cwd, value) : value;
    print(`${key.padEnd(width)}  ${shown}`);
  }
}
