import { z } from "zod";
import type { Report } from "./problem.ts";
import { itemsOf, section, valueAt } from "./section.ts";
import { bindingsSection } from "./sections/bindings.ts";
import { clientsSection } from "./sections/clients.ts";
import { dynauthSection } from "./sections/dynauth.ts";
import { httpSection } from "./sections/http.ts";
import { logSection } from "./sections/log.ts";
import { nodeSection } from "./sections/node.ts";
import { pkiSection } from "./sections/pki.ts";
import { radsecSection } from "./sections/radsec.ts";
import { isLiteral } from "./sections/select.ts";
import { statusSection } from "./sections/status.ts";

/** The whole of hub.yaml. A new section: its file in sections/, a line here, its part of Config in config.ts, a row in
 *  LIVE_KEYS, its keys in config/hub.yaml, `npm run schema`. */
export const hubSchema = section(
  {
    node: nodeSection.prefault({}).meta({ description: "This process." }),
    radsec: radsecSection,
    clients: clientsSection,
    bindings: bindingsSection.prefault({}).meta({ description: "Which NAS-Identifier belongs to which peer." }),
    dynauth: dynauthSection.prefault({}).meta({ description: "Disconnect- and CoA-Requests." }),
    status: statusSection.prefault({}).meta({ description: "Status-Server, the watchdog of routers." }),
    http: httpSection.prefault({}).meta({ description: "The HTTP API." }),
    pki: pkiSection.prefault({}).meta({ description: "The development PKI." }),
    log: logSection.prefault({}).meta({ description: "The log." }),
  },
  rulesAcrossSections,
);

export type HubValues = z.output<typeof hubSchema>;

function rulesAcrossSections(values: unknown, report: Report): void {
  listenerRules(values, report);
  clientSecretRule(values, report);
  selectRules(values, report);
}

function listenerRules(values: unknown, report: Report): void {
  const listeners = itemsOf(valueAt(values, "radsec"));
  if (Array.isArray(valueAt(values, "radsec")) && listeners.length === 0) {
    report(["radsec"], "must have at least one listener: no router could connect");
  }
  const taken = listeners.map((listener, index) => ({ listener, path: ["radsec", index, "port"] }));
  const http = valueAt(values, "http");
  if (valueAt(http, "enabled") !== false) taken.push({ listener: http, path: ["http", "port"] });
  for (const [index, { listener, path }] of taken.entries()) {
    const earlier = taken.slice(0, index).find((other) => overlap(other.listener, listener));
    if (earlier !== undefined)
      report(path, `is taken: ${earlier.path[0] === "radsec" ? `radsec[${earlier.path[1]}]` : "http"} listens there`);
  }
  for (const [index, listener] of listeners.entries()) {
    if (valueAt(values, "pki", "development") !== false || valueAt(listener, "tls", "certificateFile") !== undefined)
      continue;
    report(["radsec", index, "tls"], "needs certificateFile, keyFile and caFiles, since pki.development is false");
  }
}

/** Whether two listeners would ask the system for the same port. */
function overlap(one: unknown, other: unknown): boolean {
  const port = valueAt(one, "port");
  if (typeof port !== "number" || port === 0 || port !== valueAt(other, "port")) return false;
  const [first, second] = [valueAt(one, "address"), valueAt(other, "address")];
  return first === second || covers(first, second) || covers(second, first);
}

/** "::" takes the IPv4 side of the port as well. */
function covers(wide: unknown, address: unknown): boolean {
  return wide === "::" || (wide === "0.0.0.0" && !String(address).includes(":"));
}

/** An entry without a secret has that of the listener, so listeners with several secrets leave it open which. */
function clientSecretRule(values: unknown, report: Report): void {
  const secrets = new Set(
    itemsOf(valueAt(values, "radsec")).map((listener) => {
      const octets = valueAt(listener, "secret", "octets");
      return Buffer.isBuffer(octets) ? octets.toString("hex") : "";
    }),
  );
  secrets.delete("");
  if (secrets.size < 2) return;
  for (const [index, entry] of itemsOf(valueAt(values, "clients")).entries()) {
    if (valueAt(entry, "secret") === undefined) {
      report(["clients", index], "needs a secret of its own, since the listeners have different ones");
    }
  }
}

/** Names that a rule refers to must exist, or it would silently never match. */
function selectRules(values: unknown, report: Report): void {
  const names = (section: string) => itemsOf(valueAt(values, section)).map((item) => valueAt(item, "name"));
  const known = { server: names("radsec"), client: names("clients") };
  for (const [index, rule] of itemsOf(valueAt(values, "dynauth", "select")).entries()) {
    for (const key of ["server", "client"] as const) {
      for (const [position, value] of itemsOf(valueAt(rule, "match", key)).entries()) {
        if (typeof value !== "string" || !isLiteral(value) || known[key].includes(value)) continue;
        const what = key === "server" ? "listener" : "entry of clients";
        report(["dynauth", "select", index, "match", key, position], `there is no ${what} of this name`);
      }
    }
  }
}
