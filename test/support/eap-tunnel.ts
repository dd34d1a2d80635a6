import type { User } from "../../src/store/user-types.ts";
import { freeUdpPort } from "./free-port.ts";
import { eapModule, startFreeradius } from "./freeradius.ts";
import type { Program } from "./program.ts";
import { RunningHub } from "./running-hub.ts";

/** Between a router and the hub. */
export const NAS_SECRET = "between-router-and-hub";
const OUTER_SECRET = "between-hub-and-freeradius";
const INNER_SECRET = "between-freeradius-and-hub";

/** Who ends the tunnels is known to the hub by it: what is inside of one comes from here. */
const TUNNEL_ADDRESS = "127.0.0.2";
/** What a peer shows outside of its tunnel: the hub passes it on. */
export const OUTER_IDENTITY = "anonymous@tunnel.example";

export interface EapTunnel {
  readonly hub: RunningHub;
  readonly freeradius: Program;
  /** Of the hub, where the router sends. */
  readonly authPort: number;
  readonly caFile: string;
}

/** A hub in front of a FreeRADIUS that ends EAP-TTLS and PEAP, and asks the same hub about the user inside:
 *
 *  router --EAP--> hub, module `proxy` --EAP--> FreeRADIUS, inner-tunnel --PAP, CHAP, MS-CHAP--> hub, modules `users` and `pap` ...
 *
 *  RFC 2865 Section 4.1 wants the NAS named in what comes out of the tunnel as well, and guesses are counted by its MAC address:
 *  FreeRADIUS does that with copy_request_to_tunnel. */
export async function startEapTunnel(users: readonly User[]): Promise<EapTunnel> {
  const outerPort = await freeUdpPort();
  const hub = await RunningHub.start({
    yaml: `
accounting: { enabled: true }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, rejectDelay: { min: 1s, max: 1s } }]
clients:
  - { name: router, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${NAS_SECRET} }
  - { name: tunnels, transport: udp, match: { network: ${TUNNEL_ADDRESS}/32 }, secret: ${INNER_SECRET} }
upstreams:
  servers:
    - { name: eap, transport: udp, host: 127.0.0.1, authPort: ${outerPort}, secret: ${OUTER_SECRET} }
  pools: [{ name: eap, servers: [eap] }]
realms: [{ realm: tunnel.example, pool: eap }]`,
  });
  await hub.hub.store?.ready(10_000);
  for (const user of users) await hub.hub.store?.users.put(user);
  const authPort = hub.addresses.udp.get("legacy")?.[0]?.port ?? 0;
  const eap = await eapModule();
  const freeradius = await startFreeradius(`
modules {
  always reject {
    rcode = reject
  }
  ${eap.text}
}
client hub {
  ipaddr = 127.0.0.1
  secret = ${OUTER_SECRET}
}
home_server hub {
  type = auth
  ipaddr = 127.0.0.1
  src_ipaddr = ${TUNNEL_ADDRESS}
  port = ${authPort}
  secret = ${INNER_SECRET}
}
home_server_pool hub {
  home_server = hub
}
realm hub {
  auth_pool = hub
  nostrip
}
server outer {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${outerPort}
  }
  authorize {
    eap
  }
  authenticate {
    eap
  }
  post-proxy {
    eap
  }
}
server inner {
  authorize {
    update control {
      &Proxy-To-Realm := "hub"
    }
    eap
  }
  authenticate {
    # rlm_eap_mschapv2 wants it to be there; the hub judges.
    Auth-Type MS-CHAP {
      reject
    }
    eap
  }
  post-proxy {
    eap
  }
}
`);
  return { hub, freeradius, authPort, caFile: eap.caFile };
}
