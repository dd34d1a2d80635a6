import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { EventLog, openLog } from "../../src/log.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket } from "../../src/radius/packet.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { SERVER_AUTH, TestCa, type TestCertificate } from "../support/test-pki.ts";

const HOUR_MS = 3_600_000;
const MIB = 1_048_576;
const WAIT = { timeout: 10_000, interval: 5 };

/** A hub with a healthy router beside which others misbehave, and the log that the hub's operator would read. */
class Street {
  readonly hub: RunningHub;
  readonly ca: TestCa;
  readonly healthy: RawNas;
  /** Time of the log alone: a minute of its silence need not be waited for. */
  readonly logClock = new ManualClock();
  readonly #logFile: string;

  private constructor(hub: RunningHub, ca: TestCa, healthy: RawNas, logFile: string) {
    this.hub = hub;
    this.ca = ca;
    this.healthy = healthy;
    this.#logFile = logFile;
    const log = openLog({ level: "info", format: "json", file: logFile });
    hub.hub.events.subscribe(new EventLog(log, this.logClock).write);
    healthy.socket.on("data", () => {
      for (const request of healthy.received.splice(0)) if (request.code === 40) healthy.answer(request);
    });
  }

  static async open(limits = ""): Promise<Street> {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "tls"));
    const ca = await TestCa.create();
    const certificate = await ca.issue({ subject: "CN=hub", dns: ["localhost"], usage: [SERVER_AUTH] });
    const file = async (name: string, text: string) => {
      await writeFile(join(folder, "tls", name), text);
      return join(folder, "tls", name);
    };
    const tls = [
      `certificateFile: ${await file("hub.pem", certificate.certificate)}`,
      `keyFile: ${await file("hub.key", certificate.key)}`,
      `caFiles: [${await file("ca.pem", ca.certificate)}]`,
    ].join(", ");
    const yaml = [
      `radsec: [{ address: 127.0.0.1, port: 0, tls: { ${tls} }, limits: { ${limits} } }]`,
      "clients: [{ name: routers, match: { san: { dns: '*.nas.example' } } }]",
    ].join("\n");
    const hub = await RunningHub.start({ yaml });
    const router = await ca.issue({ dns: ["healthy.nas.example"] });
    const healthy = await RawNas.dial(hub.radsecPort, { ca: ca.certificate, ...router }, { servername: "localhost" });
    await healthy.register("healthy");
    return new Street(hub, ca, healthy, join(folder, "hub.log"));
  }

  /** Another router of the CA, admitted. */
  async router(name: string): Promise<RawNas> {
    const issued = await this.ca.issue({ dns: [`${name}.nas.example`] });
    return RawNas.dial(this.hub.radsecPort, { ca: this.ca.certificate, ...issued }, { servername: "localhost" });
  }

  /** A TCP connection that has not said anything yet. */
  async tcp(): Promise<Socket> {
    const socket = connect(this.hub.radsecPort, "127.0.0.1");
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    return socket;
  }

  /** Somebody who tries a TLS handshake and can not know how it ends. */
  tls(credentials: Partial<TestCertificate>, options: ConnectionOptions = {}): void {
    const { certificate: cert, key } = credentials;
    const identity = cert === undefined || key === undefined ? {} : { cert, key };
    const socket = connectTls({ port: this.hub.radsecPort, rejectUnauthorized: false, ...identity, ...options });
    socket.on("error", () => undefined);
    onTestFinished(() => void socket.destroy());
  }

  /** A Disconnect to the healthy router through the HTTP API, which has to work whatever the others do. */
  async works(): Promise<void> {
    const query = "nas_identifier=healthy&username=nemo&timeout=2s";
    const response = await fetch(`${this.hub.api}/disconnect?${query}`, { method: "POST" });
    expect([response.status, this.healthy.socket.destroyed]).toEqual([200, false]);
  }

  /** Log lines of a kind of event since the street was opened. */
  async lines(
    event: string,
  ): Promise<{ readonly reason?: string; readonly msg: string; readonly suppressed?: number }[]> {
    const text = await readFile(this.#logFile, "utf8");
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line)).filter((line) => line.event === event);
  }

  async metric(line: string): Promise<number> {
    const text = await (await fetch(`${this.hub.api}/metrics`)).text();
    return Number(
      text
        .split("\n")
        .find((each) => each.startsWith(`${line} `))
        ?.split(" ")[1],
    );
  }
}

const expired = { notAfter: new Date(Date.now() - HOUR_MS) };
const tomorrow = { notBefore: new Date(Date.now() + HOUR_MS), notAfter: new Date(Date.now() + 2 * HOUR_MS) };
const status = () => encodeRequest(CODE.statusServer, 0, [], systemRandom.bytes(16), RADSEC_SECRET);

type Attack = (street: Street) => Promise<void>;

function says(octets: () => Buffer): Attack {
  return async (street) => void (await street.tcp()).write(octets());
}

const STRANGERS: Record<string, { readonly reason: string; readonly attack: Attack }> = {
  "TLS-04 noise": { reason: "not-tls", attack: says(() => Buffer.alloc(4_096, 0xa5)) },
  "TLS-04 HTTP": { reason: "not-tls", attack: says(() => Buffer.from("GET / HTTP/1.1\r\nHost: hub\r\n\r\n")) },
  "TLS-04 plain RADIUS": { reason: "not-tls", attack: says(status) },
  "TLS-04 10 MB without a TLS record": { reason: "not-tls", attack: says(() => Buffer.alloc(10 * MIB, 0x2a)) },
  "TLS-05 TLS 1.0": {
    reason: "tls-version",
    attack: async (street) => {
      street.tls({}, { minVersion: "TLSv1", maxVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" });
    },
  },
  "TLS-08 no certificate": { reason: "no-certificate", attack: async (street) => street.tls({}) },
  "TLS-09 a certificate of another CA": {
    reason: "unknown-ca",
    attack: async (street) => street.tls(await (await TestCa.create("Other CA")).issue({ dns: ["x.nas.example"] })),
  },
  "TLS-09 an expired certificate": {
    reason: "expired",
    attack: async (street) => street.tls(await street.ca.issue({ dns: ["x.nas.example"], ...expired })),
  },
  "TLS-09 a certificate that is not yet valid": {
    reason: "not-yet-valid",
    attack: async (street) => street.tls(await street.ca.issue({ dns: ["x.nas.example"], ...tomorrow })),
  },
  "TLS-18 a good certificate of nobody in `clients`": {
    reason: "not-in-clients",
    attack: async (street) => street.tls(await street.ca.issue({ dns: ["x.core.example"] })),
  },
  "CON-17 a handshake that stalls": {
    reason: "handshake-timeout",
    attack: says(() => Buffer.from("16030100c8010000c4", "hex")),
  },
};

describe("a hub and those it does not let in", () => {
  it.each(Object.entries(STRANGERS))(
    "%s: refused by name, logged once and then by number, and a healthy link does not notice",
    async (_what, { reason, attack }) => {
      const street = await Street.open("handshakeTimeout: 250ms");
      const refused = () => street.hub.eventsOf("handshake.refused");
      for (let n = 1; n <= 4; n += 1) {
        await attack(street);
        await street.works();
        await vi.waitFor(() => expect(refused()).toHaveLength(n), WAIT);
      }
      expect(refused().map((event) => event.reason)).toEqual([reason, reason, reason, reason]);
      expect((await street.lines("handshake.refused")).map((line) => line.reason)).toEqual([reason]);
      expect(await street.metric(`radsec_hub_handshakes_total{result="${reason}"}`)).toBe(4);
      street.logClock.advance(60_000);
      await attack(street);
      await vi.waitFor(() => expect(refused()).toHaveLength(5), WAIT);
      const [first, again] = await street.lines("handshake.refused");
      expect(first?.msg).toContain(`connection from 127.0.0.1`);
      expect(again).toMatchObject({ suppressed: 3, msg: expect.stringContaining("3 more like it") });
      expect([street.hub.eventsOf("link.up").length, street.hub.hub.registry.size]).toEqual([1, 1]);
      await street.works();
    },
  );
});

describe("a hub and routers that misbehave after they were let in", () => {
  it("CON-01 octets that come one by one, TLS included, are a link like any other", async () => {
    const street = await Street.open();
    const slow = createServer((near) => {
      const far = connect(street.hub.radsecPort, "127.0.0.1").setNoDelay(true);
      for (const socket of [near, far]) socket.on("error", () => undefined);
      far.pipe(near);
      void oneByOne(near, far);
    });
    slow.listen(0, "127.0.0.1");
    await once(slow, "listening");
    onTestFinished(() => void slow.close());
    const { port } = slow.address() as { port: number };
    const issued = await street.ca.issue({ dns: ["slow.nas.example"] });
    const nas = await RawNas.dial(port, { ca: street.ca.certificate, ...issued }, { servername: "localhost" });
    await nas.register("slow");
    await street.works();
    expect(street.hub.hub.registry.byNasIdentifier("slow")).toHaveLength(1);
    expect(street.hub.eventsOf("handshake.refused")).toEqual([]);
  });

  it.each([
    { what: "zeros", octets: Buffer.alloc(10 * MIB), reason: "bad-length" },
    { what: "0xff", octets: Buffer.alloc(10 * MIB, 0xff), reason: "bad-length" },
    { what: "HTTP", octets: Buffer.from("GET / HTTP/1.1\r\n".repeat(655_360)), reason: "bad-length" },
    { what: "headers of 4,096 octets and zeros", octets: headersAndZeros(), reason: "bad-attribute" },
  ])("CON-04 10 MB of $what without a frame end the link at the first; nothing is kept", async ({ octets, reason }) => {
    const street = await Street.open();
    const nas = await street.router("flood");
    const before = process.memoryUsage().rss;
    nas.send(octets);
    const down = await street.hub.event("link.down");
    expect(down).toMatchObject({ reason, peer: "flood.nas.example" });
    await nas.ended;
    await street.works();
    expect(nas.received).toEqual([]);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * MIB);
    const lines = await street.lines("link.down");
    expect(lines.map((line) => line.reason)).toEqual([reason]);
  });

  it("CON-05 10 MB of packets that nobody knows: dropped, counted, logged once, and the link stays", async () => {
    const street = await Street.open();
    const nas = await street.router("odd");
    const packet = encodePacket(99, 1, systemRandom.bytes(16), [{ type: 200, value: Buffer.alloc(250) }]);
    const count = Math.ceil((10 * MIB) / packet.length);
    nas.send(Buffer.concat(Array.from({ length: count }, () => packet)));
    await street.works();
    await nas.register("odd");
    expect(await street.metric('radsec_hub_packets_dropped_total{reason="unknown-code"}')).toBe(count);
    expect((await street.lines("packet.dropped")).map((line) => line.reason)).toEqual(["unknown-code"]);
    expect(street.hub.eventsOf("link.down")).toEqual([]);
  });

  it("invariant 5: a router that never reads: what is sent to it is bounded, and every request ends, never as an ACK", async () => {
    const street = await Street.open("writeBacklog: 64KiB");
    const nas = await street.router("deaf");
    await nas.register("deaf");
    nas.socket.pause();
    const long = "x".repeat(200);
    const requests = Array.from({ length: 4_000 }, (_, n) =>
      street.hub.hub.dynauth.exchange({
        code: CODE.disconnectRequest,
        target: { nasIdentifier: "deaf" },
        attributes: [textAttribute(ATTRIBUTE.userName, `${n}-${long}`)],
        timeoutMs: 1_500,
        trigger: "test",
      }),
    );
    await street.works();
    const kinds = (await Promise.all(requests)).flat().map(({ kind }) => kind);
    expect(kinds).toHaveLength(4_000);
    // "closed" where what was written exceeds the write backlog before the deadline.
    expect(kinds.filter((kind) => !["timeout", "busy", "closed"].includes(kind))).toEqual([]);
    await street.works();
  });

  it("a router that asks and never reads is cut off at the write backlog, and the log says so once", async () => {
    const street = await Street.open("writeBacklog: 4KiB");
    const nas = await street.router("deaf");
    nas.socket.pause();
    let asked = 0;
    const asking = setInterval(() => {
      // Nobody stores accounting here: each is answered with Protocol-Error, at once.
      const requests = Array.from({ length: 1_000 }, () => {
        const user = textAttribute(ATTRIBUTE.userName, `nemo ${(asked += 1)}`);
        return encodeRequest(CODE.accountingRequest, 1, [user], Buffer.alloc(16), RADSEC_SECRET);
      });
      nas.send(Buffer.concat(requests));
    }, 1);
    onTestFinished(() => clearInterval(asking));
    while (street.hub.eventsOf("link.down").length === 0) await street.works();
    clearInterval(asking);
    expect((await street.lines("link.down")).map((line) => line.reason)).toEqual(["write-backlog"]);
    await street.works();
  });
});

/** Each announces a packet of the largest size, whose first attribute has Length 0. */
function headersAndZeros(): Buffer {
  const packet = Buffer.alloc(4_096);
  packet.writeUInt16BE(4_096, 2);
  packet[0] = CODE.accessRequest;
  return Buffer.concat(Array.from({ length: 2_560 }, () => packet));
}

async function oneByOne(from: Socket, to: Socket): Promise<void> {
  try {
    for await (const chunk of from) {
      for (const octet of chunk as Buffer) {
        await new Promise<void>((sent) => to.write(Buffer.from([octet]), () => sent()));
      }
    }
  } finally {
    to.destroy();
  }
}
