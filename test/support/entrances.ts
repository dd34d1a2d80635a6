import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freeUdpPort } from "./free-port.ts";
import { type HomeServer, homeUpstream } from "./freeradius.ts";
import { findProgram, Program } from "./program.ts";
import { RunningHub } from "./running-hub.ts";

const RADSECPROXY = findProgram("radsecproxy") ?? "radsecproxy";

/** Between a router and what it sends its packets to. */
export const ROUTER_SECRET = "between-router-and-hub";

/** UDP ports of 127.0.0.1 that a router sends to, and the hub that its packets come to. */
export interface Entrance {
  readonly hub: RunningHub;
  readonly authPort: number;
  readonly acctPort: number;
}

/** The router sends UDP to the hub. */
async function udp(home: HomeServer): Promise<Entrance> {
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0 }]
clients: [{ name: router, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${ROUTER_SECRET} }]
${homeUpstream(home)}`,
  });
  const port = (purpose: string) =>
    hub.addresses.udp.get("legacy")?.find((each) => each.purpose === purpose)?.port ?? 0;
  return { hub, authPort: port("auth"), acctPort: port("acct") };
}

/** The router sends UDP to radsecproxy, which brings it to the hub over mutual TLS. */
async function radsec(home: HomeServer): Promise<Entrance> {
  const hub = await RunningHub.start({ yaml: homeUpstream(home) });
  const issued = await hub.hub.pki?.issueNas("proxy-1");
  const udpPort = await freeUdpPort();
  const file = join(hub.folder, "radsecproxy.conf");
  await writeFile(
    file,
    `
ListenUDP 127.0.0.1:${udpPort}
tls default {
  CACertificateFile ${hub.hub.pki?.ca.certificateFile}
  CertificateFile ${issued?.certificateFile}
  CertificateKeyFile ${issued?.keyFile}
}
Client 127.0.0.1 {
  type udp
  secret ${ROUTER_SECRET}
}
Server hub {
  type tls
  host 127.0.0.1
  port ${hub.radsecPort}
  secret radsec
}
Realm * {
  server hub
  accountingserver hub
}
`,
  );
  const proxy = Program.start(RADSECPROXY, ["-f", "-d", "5", "-c", file, "-i", join(hub.folder, "radsecproxy.pid")]);
  await proxy.says(/TLS connection to hub .* up$/m);
  return { hub, authPort: udpPort, acctPort: udpPort };
}

/** The ways from a router to a home server behind a hub. */
export const ENTRANCES: readonly {
  readonly over: string;
  readonly entrance: (home: HomeServer) => Promise<Entrance>;
}[] = [
  { over: "UDP", entrance: udp },
  { over: "RadSec, radsecproxy in front", entrance: radsec },
];
