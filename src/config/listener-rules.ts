import { type KeyPath, keyText, type Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";
import { UDP_PORT_KEYS } from "./sections/udp.ts";

/** A socket that some section asks the system for. */
interface Claim {
  readonly address: unknown;
  readonly port: unknown;
  readonly path: KeyPath;
  readonly owner: KeyPath;
  /** Whether a socket on "::" takes IPv4 as well. */
  readonly dual: boolean;
}

/** What the hub's own heartbeat says it came through (src/aaa/upstream/heartbeat.ts). */
export const HEARTBEAT_LISTENER = "heartbeat";

/** Rules about listeners of all kinds: their names, their ports, their certificates. */
export function listenerRules(values: unknown, report: Report): void {
  if (Array.isArray(valueAt(values, "radsec")) && itemsOf(valueAt(values, "radsec")).length === 0) {
    report(["radsec"], "must have at least one listener: no router could connect");
  }
  nameRules(values, report);
  portRules(streamClaims(values), report);
  portRules(datagramClaims(values), report);
  certificateRules(values, report);
}

/** Rules and logs name a listener without saying of which section it is. Within a section see there. */
function nameRules(values: unknown, report: Report): void {
  const seen = new Map<unknown, KeyPath>();
  for (const section of ["radsec", "udp", "tcp"]) {
    for (const [index, listener] of itemsOf(valueAt(values, section)).entries()) {
      const name = valueAt(listener, "name");
      const earlier = seen.get(name);
      if (typeof name !== "string") continue;
      if (name === HEARTBEAT_LISTENER) report([section, index, "name"], "is the name of the hub's own heartbeat");
      if (earlier === undefined) seen.set(name, [section, index]);
      else if (earlier[0] !== section) report([section, index, "name"], `duplicate listener name: ${keyText(earlier)}`);
    }
  }
}

function streamClaims(values: unknown): Claim[] {
  const claims = ["radsec", "tcp"].flatMap((section) =>
    itemsOf(valueAt(values, section)).map((listener, index) => claimOf(listener, [section, index])),
  );
  const http = valueAt(values, "http");
  return valueAt(http, "enabled") === false ? claims : [...claims, claimOf(http, ["http"])];
}

function claimOf(listener: unknown, owner: KeyPath): Claim {
  const [address, port] = [valueAt(listener, "address"), valueAt(listener, "port")];
  return { address, port, path: [...owner, "port"], owner, dual: true };
}

function datagramClaims(values: unknown): Claim[] {
  return itemsOf(valueAt(values, "udp")).flatMap((listener, index) => {
    const owner = ["udp", index];
    return itemsOf(valueAt(listener, "addresses")).flatMap((address) =>
      UDP_PORT_KEYS.map((key) => {
        return { address, port: valueAt(listener, key), path: [...owner, key], owner, dual: false };
      }),
    );
  });
}

function portRules(claims: readonly Claim[], report: Report): void {
  for (const [index, claim] of claims.entries()) {
    const taken = claims.slice(0, index).find((earlier) => earlier.owner !== claim.owner && collide(earlier, claim));
    if (taken !== undefined) report(claim.path, `is taken: ${keyText(taken.owner)} listens there`);
  }
}

/** Whether two listeners would ask the system for the same port. */
function collide(one: Claim, other: Claim): boolean {
  if (typeof one.port !== "number" || one.port === 0 || one.port !== other.port) return false;
  return one.address === other.address || covers(one, other) || covers(other, one);
}

function covers({ address: wide, dual }: Claim, { address }: Claim): boolean {
  const v6 = String(address).includes(":");
  return (wide === "::" && (dual || v6)) || (wide === "0.0.0.0" && !v6);
}

/** Who speaks TLS needs a certificate from somewhere. */
function certificateRules(values: unknown, report: Report): void {
  if (valueAt(values, "pki", "development") !== false) return;
  for (const section of [["radsec"], ["upstreams", "servers"]]) {
    for (const [index, item] of itemsOf(valueAt(values, ...section)).entries()) {
      if (valueAt(item, "transport") === "udp" || valueAt(item, "tls", "certificateFile") !== undefined) continue;
      if (valueAt(item, "psk") !== undefined) continue;
      const path = [...section, index, "tls"];
      report(path, "needs certificateFile, keyFile and caFiles, since pki.development is false");
    }
  }
}
