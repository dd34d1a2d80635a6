import { type HomeServer, homeUpstream } from "./freeradius.ts";
import { startRadsecproxy } from "./radsecproxy.ts";
import { RunningHub } from "./running-hub.ts";

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
  const { udpPort } = await startRadsecproxy(hub, ROUTER_SECRET);
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
