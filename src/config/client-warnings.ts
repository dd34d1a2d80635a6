import { isLoopback } from "../http/host-name.ts";
import type { HubValues } from "./hub-schema.ts";
import { isPublicNetwork, overlap } from "./network-kinds.ts";
import type { Report } from "./problem.ts";
import { pskWarning, secretWarning } from "./secret-warning.ts";
import { parseNetwork } from "./values.ts";

type Client = HubValues["clients"][number];

/** Reports what is allowed in `clients` and probably not meant. */
export function reportClientWarnings({ clients, ...listeners }: HubValues, report: Report): void {
  if (clients.length === 0) report(["clients"], "is empty, so no router can connect");
  for (const [index, client] of clients.entries()) {
    const reportHere: Report = (path, message) => report(["clients", index, ...path], message);
    if (client.secret !== undefined) secretWarning(client.secret, client.transport, ["secret"], reportHere);
    for (const [position, { key }] of (client.match.psk ?? []).entries())
      pskWarning(key, ["match", "psk", position, "key"], reportHere);
    triggerWarnings(client, reportHere);
    fallbackWarnings(client, reportHere);
    sharedSecretWarning(client, clients.slice(0, index), reportHere);
    if (client.transport === "tls") continue;
    networkWarnings(client, clients, reportHere);
    proxyStateWarning(client, reportHere);
    if (listeners[client.transport].length === 0) {
      reportHere(["transport"], `is ${client.transport}, and section ${client.transport} has no listener`);
    }
  }
  udpWarnings(listeners.udp, clients, report);
  tcpWarnings(listeners.tcp, report);
}

function triggerWarnings(client: Client, report: Report): void {
  for (const key of ["reach", "filter"] as const) {
    if (client[key] !== undefined && !client.mayTrigger) report([key], "has no effect without mayTrigger: true");
  }
}

function fallbackWarnings({ udpFallback }: Client, report: Report): void {
  if (udpFallback === undefined) return;
  secretWarning(udpFallback.secret, "udp", ["udpFallback", "secret"], report);
  const parsed = parseNetwork(udpFallback.address);
  if ("network" in parsed && isPublicNetwork(parsed.network)) report(["udpFallback", "address"], PUBLIC_UDP); // UC-08
}

const PUBLIC_UDP = "is a public address: RADIUS/UDP is for networks that nobody else can send from or listen to";

/** DP-02; whoever knows the secret of one DAC could speak as the other. */
function sharedSecretWarning(client: Client, earlier: readonly Client[], report: Report): void {
  const { transport, mayTrigger, secret } = client;
  if (transport === "tls" || !mayTrigger || secret === undefined) return;
  const other = earlier.findIndex((each) => each.transport !== "tls" && each.secret?.octets.equals(secret.octets));
  if (other >= 0) report(["secret"], `is that of clients[${other}]: each peer that may trigger should have its own`);
}

function networkWarnings(client: Client, clients: readonly Client[], report: Report): void {
  for (const [position, network] of (client.match.network ?? []).entries()) {
    const path = ["match", "network", position];
    const over = client.transport.toUpperCase();
    // UC-08; CON-23: what comes from there over TLS could come in clear as well, with a forged source.
    if (isPublicNetwork(network)) {
      report(path, `has public addresses: RADIUS/${over} is for networks that nobody else can send from or listen to`);
      continue;
    }
    const secure = clients.findIndex(
      (other) => other.transport === "tls" && other.match.network?.some((each) => overlap(each, network)),
    );
    if (secure >= 0) report(path, `takes RADIUS/${over} from addresses that clients[${secure}] takes RADIUS/TLS from`);
  }
}

/** BR-03: the flag is read only when the other is false. */
function proxyStateWarning({ limitProxyState, requireMessageAuthenticator }: Client, report: Report): void {
  if (limitProxyState && requireMessageAuthenticator !== false) {
    report(["limitProxyState"], "has no effect, because requireMessageAuthenticator discards more");
  }
}

function udpWarnings(udp: HubValues["udp"], clients: readonly Client[], report: Report): void {
  if (udp.length === 0) return;
  triggerPortWarnings(udp, clients, report);
  const ofUdp = clients.filter(({ transport }) => transport === "udp");
  if (ofUdp.length === 0) report(["udp"], "has listeners, and no entry of clients has transport: udp");
  else if (!ofUdp.some(({ mayTrigger }) => mayTrigger)) {
    for (const [index, { dynauthPort }] of udp.entries()) {
      if (dynauthPort === undefined) continue;
      report(["udp", index, "dynauthPort"], "answers nobody but with NAK: no entry of clients for udp has mayTrigger");
    }
  }
}

/** Requests that no port takes would be dropped, and their sender could not tell why. */
function triggerPortWarnings(udp: HubValues["udp"], clients: readonly Client[], report: Report): void {
  if (udp.some(({ dynauthPort, triggersOnAuthPort }) => dynauthPort !== undefined || triggersOnAuthPort)) return;
  for (const [index, { transport, mayTrigger }] of clients.entries()) {
    if (transport !== "udp" || !mayTrigger) continue;
    report(["clients", index, "mayTrigger"], "has no effect: no listener of udp has dynauthPort or triggersOnAuthPort");
  }
}

/** RFC 6613 Section 1: RADIUS/TCP is for what lies beneath TLS or IPsec. */
function tcpWarnings(tcp: HubValues["tcp"], report: Report): void {
  for (const [index, { address }] of tcp.entries()) {
    if (isLoopback(address)) continue;
    report(["tcp", index, "address"], "is open to other machines, and RADIUS/TCP encrypts nothing: let them use TLS");
  }
}
