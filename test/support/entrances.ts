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

/** The hub has its link to the home server: until then it would answer that it has none. */
async function linked(hub: RunningHub, { radsec }: HomeServer): Promise<void> {
  if (radsec !== undefined) await hub.event("upstream.up");
}

/** The router sends UDP to the hub. */
async function udp(home: HomeServer): Promise<Entrance> {
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0 }]
clients: [{ name: router, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${ROUTER_SECRET} }]
${homeUpstream(home)}`,
  });
  await linked(hub, home);
  const port = (purpose: string) =>
    hub.addresses.udp.get("legacy")?.find((each) => each.purpose === purpose)?.port ?? 0;
  return { hub, authPort: port("auth"), acctPort: port("acct") };
}

/** The router sends UDP to radsecproxy, which brings it to the hub over mutual TLS. */
async function radsec(home: HomeServer): Promise<Entrance> {
  const hub = await RunningHub.start({ yaml: homeUpstream(home) });
  await linked(hub, home);
  const { udpPort } = await startRadsecproxy(hub, ROUTER_SECRET);
  return { hub, authPort: udpPort, acctPort: udpPort };
}

/** The ways from a router to a home server behind a hub, and what that has to have for it. */
export const ENTRANCES: readonly {
  readonly over: string;
  readonly entrance: (home: HomeServer) => Promise<Entrance>;
  readonly home: { readonly radsec: boolean };
}[] = [
  { over: "UDP", entrance: udp, home: { radsec: false } },
  { over: "RadSec, radsecproxy in front", entrance: radsec, home: { radsec: false } },
  { over: "UDP, the hub dials the home server", entrance: udp, home: { radsec: true } },
];
