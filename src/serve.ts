import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ModuleCatalogue } from "./aaa/pipeline/module-set.ts";
import { tellStrayError } from "./aaa/pipeline/stray-errors.ts";
import { packageFolder, packageVersion } from "./cli/package-files.ts";
import { type Clock, type Random, systemClock, systemRandom } from "./clock.ts";
import { catalogueFor } from "./config/module-catalogue.ts";
import { type KeyPath, type Problem, problemText } from "./config/problem.ts";
import { type Config, loadConfig } from "./config.ts";
import { HubError } from "./errors.ts";
import { Hub, type HubAddresses } from "./hub.ts";
import { type Logger, openLog } from "./log.ts";
import { Dictionary } from "./radius/dictionary.ts";

export interface ServeContext {
  /** Absolute path of hub.yaml. */
  readonly configFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly complain: (line: string) => void;
  /** Resolves when the operator wants the hub to stop. */
  readonly interrupted: Promise<void>;
  /** Calls `action` on each SIGHUP. */
  readonly onReload: (action: () => void) => void;
  /** Calls `action` when the process ends, however it does. */
  readonly onExit: (action: () => void) => void;
  /** Calls `isAccountedFor` with what nobody has caught, in the context that it was thrown in; false ends the process. */
  readonly onUncaught?: (isAccountedFor: (error: unknown) => boolean) => void;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** Runs a hub from its configuration file until it is told to stop. @returns the exit code: 0, or 1 when it could not start. */
export async function serve(context: ServeContext): Promise<number> {
  const { clock = systemClock, random = systemRandom, complain } = context;
  const dictionary = Dictionary.load(join(packageFolder(), "config", "dictionaries"));
  const read = await readConfig(context, dictionary, complain);
  if (read === undefined) return 1;
  const { config, modules } = read;
  const log = openLog(config.log);
  context.onExit(() => log.flush());
  context.onUncaught?.(tellStrayError);
  const version = packageVersion();
  let hub: Hub;
  let addresses: HubAddresses;
  try {
    hub = new Hub(config, { clock, random, log, version, dictionary, modules });
    addresses = await hub.start();
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    const { others = [] } = error.details as { readonly others?: readonly HubError[] };
    for (const each of [error, ...others]) complain(placed(each, read) ?? `${each.code}: ${each.message}`);
    return 1;
  }
  if (hub.pki?.isNew === true) log.info(madePki(hub.pki));
  announce(log, version, config, addresses, context.configFile);
  context.onReload(() => void reload(hub, log, dictionary, context));
  await context.interrupted;
  log.info(`stopping: exchanges in flight have ${config.node.stopGraceMs / 1_000} s to end`);
  await hub.stop();
  log.info("stopped");
  return 0;
}

function madePki({ ca, hub }: NonNullable<Hub["pki"]>): string {
  return `made a development CA, ${ca.certificateFile}, and a hub certificate, ${hub.certificateFile}; radsec-hub pki issue NAME makes one for a router`;
}

function announce(log: Logger, version: string, config: Config, addresses: HubAddresses, file: string): void {
  const { radsec, tcp, udp, http } = addresses;
  for (const [name, { address, port }] of radsec) {
    log.info({ listener: name, address, port }, `RadSec listener ${name} on ${address} port ${port}`);
  }
  for (const [name, { address, port }] of tcp) {
    log.info({ listener: name, address, port }, `RADIUS/TCP listener ${name} on ${address} port ${port}`);
  }
  for (const [name, sockets] of udp) {
    for (const { purpose, address, port } of sockets) {
      log.info(
        { listener: name, purpose, address, port },
        `UDP listener ${name}: ${purpose} on ${address} port ${port}`,
      );
    }
  }
  if (http !== undefined) log.info({ ...http }, `HTTP API on http://${http.address}:${http.port}`);
  log.info({ version, node: config.node.name, config: file }, `radsec-hub ${version} is ready`);
}

/** A file with mistakes changes nothing: every one of them is logged, and the hub goes on as it was. */
async function reload(hub: Hub, log: Logger, dictionary: Dictionary, context: ServeContext): Promise<void> {
  const read = await readConfig(context, dictionary, (line) => log.error(line));
  if (read === undefined) return log.error("the configuration has mistakes; the one in force stays");
  try {
    await hub.apply(read.config, read.modules);
    log.level = read.config.log.level;
  } catch (error) {
    const line = error instanceof HubError ? placed(error, read) : undefined;
    if (line !== undefined) log.error(line);
    log.error({ err: error }, "the configuration could not be applied; the one in force stays");
  }
}

/** A mistake that showed only when the hub used the configuration, with its place in the file; undefined where it has none. */
function placed({ details, message }: HubError, { problemAt }: ReadConfig): string | undefined {
  return Array.isArray(details["path"]) ? problemText(problemAt(details["path"], message)) : undefined;
}

interface ReadConfig {
  readonly config: Config;
  readonly modules: ModuleCatalogue;
  readonly problemAt: (path: KeyPath, message: string) => Problem;
}

async function readConfig(
  { configFile, env }: ServeContext,
  dictionary: Dictionary,
  complain: (line: string) => void,
): Promise<ReadConfig | undefined> {
  let text: string;
  try {
    text = readFileSync(configFile, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "error";
    complain(`${configFile} can not be read (${code})`);
    return undefined;
  }
  const readFile = (path: string) => readFileSync(path, "utf8");
  const source = { file: configFile, env, readFile, dictionary };
  const { modules, problems } = await catalogueFor(text, source);
  for (const problem of problems) complain(problemText(problem));
  const loaded = loadConfig(text, { ...source, modules });
  if (!loaded.ok) {
    for (const problem of loaded.problems) complain(problemText(problem));
    return undefined;
  }
  for (const warning of loaded.warnings) complain(`warning: ${problemText(warning)}`);
  return problems.length > 0 ? undefined : { config: loaded.config, modules, problemAt: loaded.problemAt };
}
