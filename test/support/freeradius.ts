import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TestContext } from "vitest";
import { freeUdpPort } from "./free-port.ts";
import { findProgram, Program } from "./program.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { SERVER_AUTH, TestCa } from "./test-pki.ts";

const FREERADIUS = findProgram("freeradius") ?? "freeradius";

/** Between FreeRADIUS and the hub. */
const HOME_SECRET = "between-hub-and-home";
const HOME_NAME = "home.example.net";
/** A user of the home server; RFC 2759 and RFC 3079 have vectors for the pair. */
export const HOME_USER = { name: "User", password: "clientPass" } as const;

/** Skips a test whose peers are not here, aloud. */
export function needs(context: TestContext, ...programs: readonly string[]): void {
  for (const name of programs) if (findProgram(name) === undefined) context.skip(`${name} is not installed`);
}

/** A FreeRADIUS with nothing of Debian's configuration, in a folder of its own; `text` is the rest of its radiusd.conf. It
 *  says in its output what it receives and sends. It has threads, which it wants for RADIUS/TLS, where `text` has a pool of them. */
export async function startFreeradius(text: string): Promise<Program> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "log"));
  await writeFile(
    join(folder, "radiusd.conf"),
    `
prefix = /usr
libdir = /usr/lib/freeradius
raddbdir = ${folder}
logdir = ${folder}/log
max_requests = 65536
cleanup_delay = 0
security {
  status_server = yes
  reject_delay = 0
}
${text}
`,
  );
  const words = text.includes("thread pool {") ? ["-fxx", "-l", "stdout"] : ["-X"];
  const program = Program.start(FREERADIUS, ["-d", folder, "-n", "radiusd", ...words]);
  await program.says(/^Ready to process requests/m);
  return program;
}

export interface HomeServer {
  readonly program: Program;
  readonly authPort: number;
  readonly acctPort: number;
  /** PEM of the CA that its EAP certificate is from. */
  readonly caFile: string;
  /** Where it takes RADIUS/TLS, and what the hub shows there. */
  readonly radsec?: { readonly port: number; readonly tls: string } | undefined;
}

/** FreeRADIUS as the home server of one user: PAP, CHAP, MS-CHAPv2, EAP-TTLS and PEAP.
 *  @param sections more of radiusd.conf
 *  @param client more of the section that names the hub
 *  @param accounting what is done with an Accounting-Request
 *  @param radsec it takes RADIUS/TLS too */
export async function startHomeServer(
  options: {
    readonly sections?: string;
    readonly client?: string;
    readonly accounting?: string;
    readonly radsec?: boolean;
  } = {},
): Promise<HomeServer> {
  const { sections = "", client = "", accounting = "" } = options;
  const eap = await eapModule();
  const radsec = options.radsec === true ? await radsecListener() : undefined;
  const [authPort, acctPort] = [await freeUdpPort(), await freeUdpPort()];
  const program = await startFreeradius(`
modules {
  pap {
  }
  chap {
  }
  mschap {
  }
  always ok {
    rcode = ok
  }
  ${eap.text}
}
client hub {
  ipaddr = 127.0.0.1
  secret = ${HOME_SECRET}
  ${client}
}
${sections}
${radsec?.text ?? ""}
${virtualServer(
  "home",
  `listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${authPort}
  }
  listen {
    type = acct
    ipaddr = 127.0.0.1
    port = ${acctPort}
  }
  accounting {
    ${accounting}
    ok
  }`,
)}
${virtualServer("inner", "")}
`);
  return { program, authPort, acctPort, caFile: eap.caFile, radsec };
}

/** RADIUS/TLS for the virtual server `home`, with certificates of its own. */
async function radsecListener(): Promise<{ readonly text: string; readonly port: number; readonly tls: string }> {
  const folder = await temporaryFolder();
  const ca = await TestCa.create("RadSec CA");
  const server = await ca.issue({ dns: [HOME_NAME], usage: [SERVER_AUTH] });
  const hub = await ca.issue({ dns: ["hub.example.net"] });
  const files = { ca: ca.certificate, server: server.certificate, serverKey: server.key, hub: hub.certificate };
  for (const [name, pem] of Object.entries({ ...files, hubKey: hub.key })) await writeFile(join(folder, name), pem);
  const port = await freeUdpPort();
  const text = `
thread pool {
  start_servers = 2
  max_servers = 4
  min_spare_servers = 1
  max_spare_servers = 3
}
clients radsec {
  client hub_over_tls {
    ipaddr = 127.0.0.1
    proto = tls
    secret = radsec
  }
}
listen {
  type = auth+acct
  proto = tcp
  ipaddr = 127.0.0.1
  port = ${port}
  virtual_server = home
  clients = radsec
  tls {
    private_key_file = ${folder}/serverKey
    certificate_file = ${folder}/server
    ca_file = ${folder}/ca
    require_client_cert = yes
    tls_min_version = "1.2"
    tls_max_version = "1.3"
    ecdh_curve = "prime256v1"
  }
}`;
  const tls = `{ certificateFile: ${folder}/hub, keyFile: ${folder}/hubKey, caFiles: [${folder}/ca] }`;
  return { text, port, tls };
}

/** FreeRADIUS's module eap, with a certificate of its own, whose tunnels are looked into by the virtual server `inner`. A tunneled
 *  EAP-MSCHAPv2 that is proxied leaves it as MS-CHAPv2. @returns text for `modules`, and the file of the CA */
export async function eapModule(): Promise<{ readonly text: string; readonly caFile: string }> {
  const folder = await temporaryFolder();
  const ca = await TestCa.create("EAP CA");
  const issued = await ca.issue({ subject: `CN=${HOME_NAME}`, dns: [HOME_NAME], usage: [SERVER_AUTH] });
  const file = (name: string) => join(folder, name);
  await writeFile(file("ca.pem"), ca.certificate);
  await writeFile(file("home.pem"), issued.certificate);
  await writeFile(file("home.key"), issued.key);
  const text = `eap {
  default_eap_type = peap
  tls-config home {
    certificate_file = ${file("home.pem")}
    private_key_file = ${file("home.key")}
    ca_file = ${file("ca.pem")}
    tls_min_version = "1.2"
    tls_max_version = "1.2"
    ecdh_curve = "prime256v1"
    fragment_size = 512
  }
  ttls {
    tls = home
    default_eap_type = mschapv2
    copy_request_to_tunnel = yes
    virtual_server = inner
  }
  peap {
    tls = home
    default_eap_type = mschapv2
    copy_request_to_tunnel = yes
    proxy_tunneled_request_as_eap = no
    virtual_server = inner
  }
  mschapv2 {
  }
}`;
  return { text, caFile: file("ca.pem") };
}

function virtualServer(name: string, more: string): string {
  return `
server ${name} {
  ${more}
  authorize {
    if (&User-Name =~ /^${HOME_USER.name}(@.*)?$/) {
      update control {
        Cleartext-Password := "${HOME_USER.password}"
      }
    }
    chap
    mschap
    eap
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
    Auth-Type CHAP {
      chap
    }
    Auth-Type MS-CHAP {
      mschap
    }
    eap
  }
}`;
}

/** What to write into hub.yaml so that everything goes to the home server, over RADIUS/TLS where it takes that. */
export function homeUpstream({ authPort, acctPort, radsec }: HomeServer): string {
  const ports = `authPort: ${authPort}, acctPort: ${acctPort}`;
  const server =
    radsec === undefined
      ? // Debian's 3.2.1 puts Message-Authenticator into replies to EAP alone.
        `transport: udp, ${ports}, secret: ${HOME_SECRET}, requireMessageAuthenticator: false`
      : `transport: radsec, port: ${radsec.port}, serverName: ${HOME_NAME}, watchdog: 6s, tls: ${radsec.tls}`;
  return `
upstreams:
  servers:
    - { name: home, host: 127.0.0.1, ${server} }
  pools: [{ name: home, servers: [home] }]
realms: [{ pool: home }]
`;
}
