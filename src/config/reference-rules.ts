import { HEARTBEAT_LISTENER } from "./listener-rules.ts";
import type { Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";
import { isLiteral } from "./sections/select.ts";

/** Rules about what one section takes from another: it must be there, and be one. */
export function referenceRules(values: unknown, report: Report): void {
  clientSecretRule(values, report);
  selectRules(values, report);
  routeRules(values, report);
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
    if (valueAt(entry, "transport") === "tls" && valueAt(entry, "secret") === undefined) {
      report(["clients", index], "needs a secret of its own, since the listeners have different ones");
    }
  }
}

/** Names that a rule refers to must exist, or it would silently never match. */
function selectRules(values: unknown, report: Report): void {
  const known = { server: listenerNames(values), client: namesIn(values, "clients") };
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

function routeRules(values: unknown, report: Report): void {
  const pools = namesIn(values, "upstreams", "pools");
  const listeners = [...listenerNames(values), HEARTBEAT_LISTENER];
  for (const [index, route] of itemsOf(valueAt(values, "realms")).entries()) {
    const pool = valueAt(route, "pool");
    if (typeof pool === "string" && pool !== "" && !pools.includes(pool)) {
      report(["realms", index, "pool"], "there is no pool of this name in upstreams");
    }
    for (const [position, name] of itemsOf(valueAt(route, "listeners")).entries()) {
      if (typeof name !== "string" || name === "" || listeners.includes(name)) continue;
      report(["realms", index, "listeners", position], "there is no listener of this name");
    }
  }
}

function listenerNames(values: unknown): unknown[] {
  return ["radsec", "udp", "tcp"].flatMap((section) => namesIn(values, section));
}

function namesIn(values: unknown, ...section: string[]): unknown[] {
  return itemsOf(valueAt(values, ...section)).map((item) => valueAt(item, "name"));
}
