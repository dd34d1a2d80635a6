import { isLoopback } from "../http/host-name.ts";
import type { HubValues } from "./hub-schema.ts";
import { isPublicNetwork } from "./network-kinds.ts";
import type { Report } from "./problem.ts";
import { pskWarning, secretWarning } from "./secret-warning.ts";
import { isIpAddress, parseNetwork } from "./values.ts";

type Server = HubValues["upstreams"]["servers"][number];

/** Reports what is allowed in `upstreams` and `realms` and probably not meant. */
export function reportUpstreamWarnings(values: HubValues, report: Report): void {
  const { servers, pools } = values.upstreams;
  for (const [index, server] of servers.entries()) {
    const reportHere: Report = (path, message) => report(["upstreams", "servers", index, ...path], message);
    serverWarnings(server, values, reportHere);
    // One over TLS may be there for what it sends back.
    const used = server.transport === "radsec" || pools.some((pool) => pool.servers.includes(server.name));
    if (!used) reportHere([], "is in no pool, so it is never asked");
    if (isProbedElsewhere(server, values)) {
      reportHere(["probe", "port"], "is auth, and realms ask this server for accounting alone: port: acct probes that");
    }
  }
  for (const [index, pool] of pools.entries()) {
    const reportHere: Report = (path, message) => report(["upstreams", "pools", index, ...path], message);
    if (!values.realms.some((route) => route.pool === pool.name)) reportHere([], "is in no rule of realms");
    const first = servers.find(({ name }) => name === pool.servers[0]);
    if (pool.servers.length > 1 && first !== undefined && first.replyTimeout >= pool.timeout) {
      reportHere(["timeout"], "leaves no time for a second server: it is not longer than replyTimeout of the first");
    }
  }
  routeWarnings(values.realms, report);
}

function serverWarnings(server: Server, values: HubValues, report: Report): void {
  if (server.secret !== undefined) {
    secretWarning(server.secret, server.transport === "udp" ? "udp" : "tls", ["secret"], report);
  }
  if (server.psk !== undefined) pskWarning(server.psk.key, ["psk", "key"], report);
  for (const key of ["reach", "filter"] as const) {
    if (server[key] !== undefined && server.mayTrigger !== true)
      report([key], "has no effect without mayTrigger: true");
  }
  if (server.transport === "udp" && isPublicHost(server.host)) {
    report(["host"], "is a public address: RADIUS/UDP is for networks that nobody else can send from or listen to"); // UC-08
  }
  if (isOwnAddress(server, values)) report(["host"], "is this hub itself: what it passes on would come back"); // TLS-25
}

/** Whether the one port that the server needs is not the one that says whether it is alive. */
function isProbedElsewhere({ name, transport, probe }: Server, { upstreams, realms, modules }: HubValues): boolean {
  if (transport !== "udp" || probe.kind !== "status-server" || probe.port === "acct") return false;
  const pools = upstreams.pools.filter(({ servers }) => servers.includes(name)).map((pool) => pool.name);
  const rules = realms.filter(({ pool }) => pool !== undefined && pools.includes(pool));
  // A module may name a pool for anything.
  const free = modules.instances.some(({ module }) => module === "proxy");
  return rules.length > 0 && !free && rules.every(({ kind }) => kind === "acct");
}

/** A name may be anything. */
function isPublicHost(host: string): boolean {
  if (!isIpAddress(host)) return false;
  const parsed = parseNetwork(host);
  return "network" in parsed && isPublicNetwork(parsed.network);
}

/** As far as the configuration alone can tell. */
function isOwnAddress(server: Server, { radsec, udp }: HubValues): boolean {
  if (server.transport === "radsec") {
    return radsec.some(({ address, port }) => port === (server.port ?? 2083) && reaches(server.host, address));
  }
  return udp.some(({ addresses, authPort, acctPort }) => {
    const samePort = authPort === (server.authPort ?? 1812) || acctPort === (server.acctPort ?? 1813);
    return samePort && addresses.some((address) => reaches(server.host, address, false));
  });
}

/** @param dual whether "::" takes IPv4 as well */
function reaches(host: string, address: string, dual = true): boolean {
  if (host === address || (isLoopback(host) && isLoopback(address))) return true;
  const v6 = host.includes(":");
  return isLoopback(host) && ((address === "::" && (dual || v6)) || (address === "0.0.0.0" && !v6));
}

function routeWarnings(realms: HubValues["realms"], report: Report): void {
  const all = realms.findIndex(
    ({ realm, listeners, kind }) => realm === undefined && listeners === undefined && kind === undefined,
  );
  if (all >= 0 && all + 1 < realms.length)
    report(["realms", all + 1], `is never reached: realms[${all}] fits everything`);
}
