import { BUILT_IN_MODULES } from "./aaa/modules/built-in.ts";
import type { ModuleCatalogue } from "./aaa/pipeline/module-set.ts";
import type { ModulesOptions } from "./aaa/pipeline/options.ts";
import type { QuotaOptions } from "./aaa/quota/options.ts";
import type { HeartbeatOptions, RouteRule } from "./aaa/upstream/options.ts";
import type { UsersOptions } from "./aaa/users/options.ts";
import type { WebhooksOptions } from "./aaa/webhooks/options.ts";
import {
  attributePlace,
  checkFilterAttributes,
  checkSelectAttributes,
  NO_DICTIONARY,
} from "./config/attribute-names.ts";
import { checkModules } from "./config/module-rules.ts";
import { deepFreeze } from "./config/deep-freeze.ts";
import type { HubValues } from "./config/hub-schema.ts";
import type { KeyPath, Problem, Report } from "./config/problem.ts";
import { type AccountingConfig, accountingConfig } from "./config/sections/accounting.ts";
import { type BindingsConfig, bindingsConfig } from "./config/sections/bindings.ts";
import { type ClientContext, clientEntry } from "./config/sections/clients.ts";
import { type DynauthConfig, dynauthConfig } from "./config/sections/dynauth.ts";
import { heartbeatOptions } from "./config/sections/heartbeat.ts";
import { httpConfig } from "./config/sections/http.ts";
import { type LogConfig, logConfig } from "./config/sections/log.ts";
import { modulesOptions } from "./config/sections/modules.ts";
import { type NodeConfig, nodeConfig } from "./config/sections/node.ts";
import { type PkiConfig, pkiConfig } from "./config/sections/pki.ts";
import { quotaOptions } from "./config/sections/quota.ts";
import { type RadsecConfig, radsecConfig } from "./config/sections/radsec.ts";
import { routeRules } from "./config/sections/realms.ts";
import { type StatusConfig, statusConfig } from "./config/sections/status.ts";
import { type StoreConfig, storeConfig } from "./config/sections/store.ts";
import { type TcpConfig, tcpConfig } from "./config/sections/tcp.ts";
import { type UdpConfig, udpConfig } from "./config/sections/udp.ts";
import { type UdpRoutersConfig, udpRoutersConfig } from "./config/sections/udp-routers.ts";
import { type UpstreamsConfig, upstreamsConfig } from "./config/sections/upstreams.ts";
import { usersOptions } from "./config/sections/users.ts";
import { webhooksOptions } from "./config/sections/webhooks.ts";
import type { ValueSource } from "./config/substitution.ts";
import { checkThrottleAttributes } from "./config/throttle-attributes.ts";
import { checkTlsFiles } from "./config/tls-files.ts";
import { validate } from "./config/validate.ts";
import { reportWarnings } from "./config/warnings.ts";
import { YamlTree } from "./config/yaml-tree.ts";
import type { HttpOptions } from "./http/options.ts";
import type { AttributePlace } from "./radius/attribute-place.ts";
import { RADSEC_SECRET } from "./radius/authenticator.ts";
import type { Dictionary } from "./radius/dictionary.ts";
import type { ClientEntry } from "./transport/client-entry.ts";

export { diffConfig, LIVE_KEYS } from "./config/diff.ts";
export { type Problem, problemText } from "./config/problem.ts";

/** What the hub runs on: plain data, frozen all the way down, durations in Ms and sizes in Bytes. */
export interface Config {
  readonly node: NodeConfig;
  readonly radsec: readonly RadsecConfig[];
  /** Empty: no RADIUS/UDP. */
  readonly udp: readonly UdpConfig[];
  readonly udpRouters: UdpRoutersConfig;
  /** Empty: no RADIUS/TCP. */
  readonly tcp: readonly TcpConfig[];
  readonly clients: readonly ClientEntry[];
  readonly bindings: BindingsConfig;
  readonly dynauth: DynauthConfig;
  readonly upstreams: UpstreamsConfig;
  /** The first that fits decides. */
  readonly realms: readonly RouteRule[];
  readonly heartbeat: HeartbeatOptions;
  readonly store: StoreConfig;
  readonly accounting: AccountingConfig;
  readonly quota: QuotaOptions;
  readonly users: UsersOptions;
  readonly webhooks: WebhooksOptions;
  readonly modules: ModulesOptions;
  readonly status: StatusConfig;
  /** Undefined when there is to be no HTTP API. */
  readonly http: HttpOptions | undefined;
  readonly pki: PkiConfig;
  readonly log: LogConfig;
}

export interface ConfigSource extends ValueSource {
  /** Name of the file, for problems. */
  readonly file: string;
  /** With it, names of attributes are checked too. */
  readonly dictionary?: Dictionary;
  /** What `modules` may name; default: what comes with the hub. */
  readonly modules?: ModuleCatalogue;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly warnings: readonly Problem[];
      /** Gives a mistake that shows only when the hub uses the configuration its place in the file. */
      readonly problemAt: (path: KeyPath, message: string) => Problem;
    }
  | { readonly ok: false; readonly problems: readonly Problem[]; readonly warnings: readonly [] };

/** Reads the text of hub.yaml: a Config, or every mistake in it at once, in the order of the text. Never throws. */
export function loadConfig(text: string, source: ConfigSource): LoadedConfig {
  const dictionary = source.dictionary ?? NO_DICTIONARY;
  const tree = new YamlTree(text, source.file, source);
  const problems = [...tree.problems];
  const report: Report = (path, message) => problems.push(tree.problemAt(path, message));
  if (tree.sound) {
    checkTlsFiles(tree.root, source.readFile, report);
    if (source.dictionary !== undefined) {
      checkSelectAttributes(tree.root, dictionary, report);
      checkThrottleAttributes(tree.root, dictionary, report);
    }
    checkFilterAttributes(tree.root, dictionary, report);
    checkModules(tree.root, source.modules ?? BUILT_IN_MODULES, source.dictionary, report);
    const checked = validate(tree);
    if ("problems" in checked) problems.push(...checked.problems);
    else if (problems.length === 0) return loaded(checked.values, dictionary, tree);
  }
  return { ok: false, problems: inOrder(problems), warnings: [] };
}

function loaded(values: HubValues, dictionary: Dictionary, tree: YamlTree): LoadedConfig {
  const warnings: Problem[] = [];
  reportWarnings(values, (path, message) => warnings.push(tree.problemAt(path, message)));
  const problemAt = (path: KeyPath, message: string) => tree.problemAt(path, message);
  return { ok: true, config: deepFreeze(configOf(values, dictionary)), warnings: inOrder(warnings), problemAt };
}

function configOf(values: HubValues, dictionary: Dictionary): Config {
  const dynauth = dynauthConfig(values.dynauth);
  const status = statusConfig(values.status);
  const context: ClientContext = {
    // One for all listeners: where they differ, every entry has its own.
    secretOfListener: values.radsec[0]?.secret ?? RADSEC_SECRET,
    placeOf: (name) => attributePlace(name, dictionary) as AttributePlace, // checkFilterAttributes() has found it
  };
  return {
    node: nodeConfig(values.node),
    radsec: values.radsec.map((listener) => radsecConfig(listener, dynauth, status)),
    udp: values.udp.map((listener) => udpConfig(listener, dynauth, status)),
    udpRouters: udpRoutersConfig(values.udpRouters),
    tcp: values.tcp.map((listener) => tcpConfig(listener, dynauth, status)),
    clients: values.clients.map((entry) => clientEntry(entry, context)),
    bindings: bindingsConfig(values.bindings),
    dynauth,
    upstreams: upstreamsConfig(values.upstreams, context.placeOf),
    realms: routeRules(values.realms),
    heartbeat: heartbeatOptions(values.heartbeat),
    store: storeConfig(values.store),
    accounting: accountingConfig(values.accounting),
    quota: quotaOptions(values.quota),
    users: usersOptions(values.users),
    webhooks: webhooksOptions(values.webhooks),
    modules: modulesOptions(values.modules),
    status,
    http: httpConfig(values.http, dynauth),
    pki: pkiConfig(values.pki),
    log: logConfig(values.log),
  };
}

/** As they stand in the text; of several with one key only the first, since one mistake may break several rules. */
function inOrder(problems: readonly Problem[]): Problem[] {
  const told = new Set<string>();
  const first = problems.filter(({ key }) => key === "" || (!told.has(key) && told.add(key)));
  return first.sort((one, other) => one.line - other.line || one.column - other.column);
}
