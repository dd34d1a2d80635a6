import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freeUdpPort } from "./free-port.ts";
import { findProgram, Program } from "./program.ts";
import type { RunningHub } from "./running-hub.ts";

const RADSECPROXY = findProgram("radsecproxy") ?? "radsecproxy";

/** radsecproxy between a UDP port of its own and a hub, with a certificate of the hub's development PKI; its link is up.
 *  @param secret of the routers that send to its port
 *  @param statusServer whether it has a watchdog of its own */
export async function startRadsecproxy(
  hub: RunningHub,
  secret: string,
  { statusServer = false } = {},
): Promise<{ readonly proxy: Program; readonly udpPort: number }> {
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
  secret ${secret}
}
Server hub {
  type tls
  host 127.0.0.1
  port ${hub.radsecPort}
  secret radsec
  StatusServer ${statusServer ? "on" : "off"}
}
Realm * {
  server hub
  accountingserver hub
}
`,
  );
  const proxy = Program.start(RADSECPROXY, ["-f", "-d", "5", "-c", file, "-i", join(hub.folder, "radsecproxy.pid")]);
  await proxy.says(/TLS connection to hub .* up$/m);
  return { proxy, udpPort };
}
