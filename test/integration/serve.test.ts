import { createSocket } from "node:dgram";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openPki } from "../../pki/development.ts";
import { run } from "../../src/cli/run.ts";
import { packageFolder } from "../../src/cli/package-files.ts";
import { systemClock } from "../../src/clock.ts";
import { CapturedIo } from "../support/cli-io.ts";
import { freeTcpPort } from "../support/free-port.ts";
import { Program } from "../support/program.ts";
import { RawNas } from "../support/raw-nas.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const RADSEC_HUB = join(packageFolder(), "bin/radsec-hub.cjs");
const READY = /radsec-hub \S+ is ready/;

function client(name: string, match = "issuer: CN=radsec-hub development CA, admitEvery: true"): string {
  return `{ name: ${name}, match: { ${match} } }`;
}

interface Sections {
  readonly clients?: string;
  readonly port?: number;
  readonly httpPort?: number;
  readonly more?: string;
}

/** A folder with hub.yaml, and the hub that runs on it as a process of its own. */
class Served {
  readonly folder: string;
  readonly file: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.file = join(folder, "hub.yaml");
  }

  static async prepare(sections: Sections = {}): Promise<Served> {
    const served = new Served(await temporaryFolder());
    await served.configure(sections);
    return served;
  }

  configure({ clients = client("routers"), port = 0, httpPort = 0, more = "" }: Sections): Promise<void> {
    return writeFile(
      this.file,
      `radsec: [{ address: 127.0.0.1, port: ${port} }]
http: { address: 127.0.0.1, port: ${httpPort} }
pki: { folder: ${join(this.folder, "pki")} }
clients: [${clients}]
${more}
`,
    );
  }

  start(): Program {
    return Program.start(process.execPath, [RADSEC_HUB, "serve", "--config", this.file], { cwd: this.folder });
  }

  async running(): Promise<{ readonly hub: Program; readonly radsecPort: number; readonly api: string }> {
    const hub = this.start();
    await hub.says(READY, 30_000);
    const radsecPort = Number((await hub.says(/RadSec listener \S+ on \S+ port (\d+)/))[1]);
    return { hub, radsecPort, api: (await hub.says(/HTTP API on (http:[\w./:]+)/))[1] as string };
  }

  /** A router that dials in with a certificate of the development CA and answers every Disconnect, unless it is told not to. */
  async router(
    port: number,
    name: string,
    { answers = true, ...how }: { readonly force?: boolean; readonly answers?: boolean } = {},
  ): Promise<RawNas> {
    const pki = await openPki(join(this.folder, "pki"), { clock: systemClock, hubNames: undefined });
    const { certificatePem: certificate, keyPem: key } = await pki.issueNas(name, how);
    const nas = await RawNas.dial(port, { ca: pki.ca.certificatePem, certificate, key }, { servername: "localhost" });
    await nas.register(name);
    nas.socket.on("data", () => {
      const request = nas.received.at(-1);
      if (answers && request?.code === 40) nas.answer(request);
    });
    return nas;
  }
}

/** A port that another process of this machine has. */
async function busyTcpPort(port = 0): Promise<number> {
  const occupant = createServer().listen(port, "127.0.0.1");
  await once(occupant, "listening");
  onTestFinished(() => void occupant.close());
  return (occupant.address() as AddressInfo).port;
}

async function busyUdpPort(): Promise<number> {
  const occupant = createSocket("udp4").bind(0, "127.0.0.1");
  await once(occupant, "listening");
  onTestFinished(() => void occupant.close());
  return occupant.address().port;
}

async function disconnect(api: string, nas: string): Promise<number> {
  return (await fetch(`${api}/disconnect?nas_identifier=${nas}&username=nemo`, { method: "POST" })).status;
}

async function linksOf(api: string): Promise<readonly { readonly client: string; readonly link_id: string }[]> {
  return ((await (await fetch(`${api}/v1/links`)).json()) as { links: { client: string; link_id: string }[] }).links;
}

describe("radsec-hub serve", () => {
  it("starts, is ready, disconnects, and ends with code 0 on SIGTERM: links get close_notify", async () => {
    const served = await Served.prepare();
    const { hub, radsecPort, api } = await served.running();
    expect((await fetch(`${api}/ready`)).status).toBe(200);
    expect((await fetch(`${api}/live`)).status).toBe(200);
    const nas = await served.router(radsecPort, "edge-1");
    expect(await disconnect(api, "edge-1")).toBe(200);
    hub.signal("SIGTERM");
    expect(await nas.ended).toBe(true);
    expect(await hub.ended).toEqual({ code: 0, signal: null });
    expect(hub.stdout).toContain('"msg":"stopped"');
    expect(hub.stderr).toBe("");
  }, 60_000);

  it.each([
    ["radsec", "hub.yaml:1:38: radsec[0].port: radsec listener radsec"],
    ["http", "hub.yaml:2:35: http.port: the HTTP API"],
    ["udp", "hub.yaml:5:7: udp[0]: udp listener old"],
    ["tcp", "hub.yaml:5:46: tcp[0].port: tcp listener old"],
  ])("a busy port of %s is named in one line with its place, exit code 1", async (section, place) => {
    const port = await (section === "udp" ? busyUdpPort() : busyTcpPort());
    const served = await Served.prepare({
      ...(section === "radsec" && { port }),
      ...(section === "http" && { httpPort: port }),
      ...(section === "udp" && { more: `udp: [{ name: old, addresses: [127.0.0.1], authPort: ${port} }]` }),
      ...(section === "tcp" && { more: `tcp: [{ name: old, address: 127.0.0.1, port: ${port} }]` }),
    });
    const hub = served.start();
    expect(await hub.ended).toEqual({ code: 1, signal: null });
    const why = `can not listen on 127.0.0.1:${port}: the port is in use by another process`;
    const lines = hub.stderr.split("\n").filter((line) => !line.startsWith("warning: "));
    expect(lines).toEqual([`${served.folder}/${place} ${why}`, ""]);
    expect(hub.stdout).toBe("");
  });

  it("busy ports are all named at once, and the ports that were free are free again", async () => {
    const [port, httpPort, free] = [await busyTcpPort(), await busyTcpPort(), await freeTcpPort()];
    const more = `tcp: [{ name: old, address: 127.0.0.1, port: ${free} }]`;
    const hub = (await Served.prepare({ port, httpPort, more })).start();
    expect(await hub.ended).toEqual({ code: 1, signal: null });
    expect(hub.stderr).toMatch(
      new RegExp(`^\\S+ radsec\\S+ .*127.0.0.1:${port}: .*\\n\\S+ http.port: .*127.0.0.1:${httpPort}: .*\\n$`),
    );
    await busyTcpPort(free);
  });

  it("SIGTERM lets what is in flight end: its caller is answered, then the link gets close_notify; new calls are refused", async () => {
    const served = await Served.prepare();
    const { hub, radsecPort, api } = await served.running();
    const nas = await served.router(radsecPort, "edge-1", { answers: false });
    const inFlight = disconnect(api, "edge-1");
    const request = await nas.packet(1);
    hub.signal("SIGTERM");
    await hub.says(/stopping: exchanges in flight/);
    await expect(fetch(`${api}/live`)).rejects.toThrow();
    expect(nas.socket.destroyed).toBe(false);
    nas.answer(request);
    expect(await inFlight).toBe(200);
    expect(await nas.ended).toBe(true);
    expect(await hub.ended).toEqual({ code: 0, signal: null });
  }, 60_000);

  it("every mistake is listed at once with file and line, and the hub does not start half", async () => {
    const served = await Served.prepare({
      clients: "{ name: routers, match: {} }",
      more: "dynauth: { timeout: soon }",
    });
    const hub = served.start();
    expect(await hub.ended).toEqual({ code: 1, signal: null });
    expect(hub.stderr).toMatch(/hub\.yaml:4\b.*clients/);
    expect(hub.stderr).toMatch(/hub\.yaml:5\b.*timeout/);
    expect(hub.stdout).toBe("");
  });

  it("SIGHUP applies another list of clients: who is still admitted keeps the link, who is not loses it", async () => {
    const both = [client("edge", "san: { dns: edge-1 }"), client("core", "san: { dns: core-1 }")].join(", ");
    const served = await Served.prepare({ clients: both });
    const { hub, radsecPort, api } = await served.running();
    const edge = await served.router(radsecPort, "edge-1");
    const core = await served.router(radsecPort, "core-1");
    const before = await linksOf(api);
    expect(before.map((link) => link.client).sort()).toEqual(["core", "edge"]);

    await served.configure({ clients: client("edge", "san: { dns: edge-1 }") });
    hub.signal("SIGHUP");
    await hub.says(/configuration applied: .*clients/);
    expect(await core.ended).toBe(true);
    await hub.says(/client-removed/);
    const after = await linksOf(api);
    expect(after).toEqual(
      before.filter((link) => link.client === "edge").map((link) => expect.objectContaining({ link_id: link.link_id })),
    );
    expect(edge.socket.destroyed).toBe(false);
    expect([await disconnect(api, "edge-1"), await disconnect(api, "core-1")]).toEqual([200, 404]);
  }, 60_000);

  it("says what it made on the first start, and nothing of the kind on the second", async () => {
    const served = await Served.prepare();
    const first = (await served.running()).hub;
    expect(first.stdout.match(/made a development CA, \S+\/pki\/ca\/\S+\.pem, and a hub certificate/g)).toHaveLength(1);
    first.signal("SIGTERM");
    await first.ended;
    expect((await served.running()).hub.stdout).not.toContain("made a development CA");
  }, 60_000);

  it("TLS-11 SIGHUP after pki revoke ends the link of that router and refuses it, and no other", async () => {
    const served = await Served.prepare();
    const { hub, radsecPort, api } = await served.running();
    const stolen = await served.router(radsecPort, "edge-1");
    await served.router(radsecPort, "edge-2");
    const io = new CapturedIo(served.folder);
    expect(await run(["pki", "revoke", "edge-1", "--folder", "pki"], io)).toBe(0);
    expect(io.out).toMatch(/revoked +[0-9A-F]+\nlist +pki\/crl\.pem\n/);
    hub.signal("SIGHUP");
    expect(await stolen.ended).toBe(true);
    await hub.says(/certificate-revoked/);
    await served.router(radsecPort, "edge-1", { force: true }); // another certificate of that name is as good as ever
    expect([await disconnect(api, "edge-1"), await disconnect(api, "edge-2")]).toEqual([200, 200]);
    expect(await run(["pki", "revoke", "nobody", "--folder", "pki"], io)).not.toBe(0);
    expect(await run(["pki", "revoke", "edge-2"], io)).not.toBe(0);
    expect(io.err).toMatch(/no certificate that is still good was issued to "nobody"\n.*var\/pki holds no PKI/s);
  }, 60_000);

  it("SIGHUP with a broken file keeps the configuration in force and logs every mistake", async () => {
    const served = await Served.prepare();
    const { hub, radsecPort, api } = await served.running();
    await served.router(radsecPort, "edge-1");
    await served.configure({ clients: "{ name: routers, match: {} }", more: "dynauth: { timeout: soon }" });
    hub.signal("SIGHUP");
    await hub.says(/the configuration has mistakes; the one in force stays/);
    expect(hub.output).toMatch(/hub\.yaml:4\b.*clients/);
    expect(hub.output).toMatch(/hub\.yaml:5\b.*timeout/);
    expect(await disconnect(api, "edge-1")).toBe(200);
    await served.configure({});
    hub.signal("SIGHUP");
    await hub.says(/nothing changed/);
    expect(await disconnect(api, "edge-1")).toBe(200);
  }, 60_000);

  it("config/hub.yaml as it is shipped starts, with free ports and a folder of its own", async () => {
    const served = await Served.prepare();
    const shipped = await readFile(join(packageFolder(), "config/hub.yaml"), "utf8");
    const changed = shipped
      .replace("#port: 2083", "port: 0")
      .replace("#port: 4000", "port: 0")
      .replace("#folder: var/pki", `folder: ${join(served.folder, "pki")}`);
    expect(changed.match(/^ +port: 0$/gm)).toHaveLength(2);
    await writeFile(served.file, changed);
    const { hub, radsecPort, api } = await served.running();
    await served.router(radsecPort, "edge-1");
    expect(await disconnect(api, "edge-1")).toBe(200);
    expect((await hub.stop("SIGINT")).code).toBe(0);
  }, 60_000);
});
