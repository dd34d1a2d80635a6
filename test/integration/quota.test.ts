import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { createHmac } from "node:crypto";
import type { AddressInfo } from "node:net";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { systemClock, systemRandom } from "../../src/clock.ts";
import type { NasEvent } from "../../src/nas/nas-events.ts";
import { NasSimulator } from "../../src/nas/nas-simulator.ts";
import { type Attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram, type Packet } from "../../src/radius/packet.ts";
import { RawNas } from "../support/raw-nas.ts";
import { runToEnd } from "../support/program.ts";
import { RunningHub } from "../support/running-hub.ts";

const QUOTA = `
accounting: { enabled: true }
quota:
  rules:
    - { name: megabyte, period: total, amount: 1MB, thresholds: [{ percent: 100, action: disconnect }] }
`;

function accounting(kind: number, nas: string, user: string, octets: number): Attribute[] {
  return [
    integerAttribute(40, kind),
    textAttribute(32, nas),
    textAttribute(1, user),
    textAttribute(44, "0000cafe"),
    integerAttribute(43, octets),
    integerAttribute(46, kind === 1 ? 0 : 60),
  ];
}

describe("quota in a whole hub", () => {
  it("sends the Accounting-Response first and the Disconnect after it, down the same link", async () => {
    const hub = await RunningHub.start({ yaml: QUOTA });
    await hub.hub.store?.ready(10_000);
    const credentials = await hub.credentials("nas-07");
    const [one, two] = [await RawNas.dial(hub.radsecPort, credentials), await RawNas.dial(hub.radsecPort, credentials)];
    await one.register("nas-07");
    await two.register("nas-07");
    two.request(CODE.accountingRequest, accounting(3, "nas-07", "nemo", 2_000_000));
    const [response, request] = [await two.packet(1), await two.packet(2)];
    expect([response.code, request.code]).toEqual([CODE.accountingResponse, CODE.disconnectRequest]);
    two.answer(request);
    await hub.event("quota.acted", ({ outcome }) => outcome === "ack");
    expect(one.received).toHaveLength(1); // the answer to its Status-Server
  });

  it("acts on a user with three devices on three routers everywhere", async () => {
    const hub = await RunningHub.start({ yaml: QUOTA });
    await hub.hub.store?.ready(10_000);
    const ended: string[] = [];
    const onEvent = (event: NasEvent): void => {
      if (event.type === "acct-ended") ended.push(event.nasIdentifier);
    };
    const names = ["ap-1", "ap-2", "ap-3"];
    const routers = [];
    for (const name of names) {
      const router = new NasSimulator(
        { clock: systemClock, random: systemRandom, onEvent },
        { host: "127.0.0.1", port: hub.radsecPort, nasIdentifier: name, tls: await hub.credentials(name) },
      );
      onTestFinished(() => router.stop());
      await router.start();
      const acctSession = router.addAcctSession({ username: "nemo", acctSessionId: "8100000a" });
      await router.sendAccounting("start", acctSession);
      routers.push({ router, acctSession });
    }
    for (const { router, acctSession } of routers) {
      await router.sendAccounting("interim", acctSession, [integerAttribute(43, 400_000), integerAttribute(46, 60)]);
    }
    await expect.poll(() => ended.sort(), { timeout: 10_000 }).toEqual(names);
    expect(hub.eventsOf("quota.reached")).toHaveLength(1);
  });

  it("reaches a legacy router on its UDP port", async () => {
    const SECRET = new SharedSecret("a secret of the test");
    const router = createSocket("udp4");
    router.bind(0, "127.0.0.4");
    await once(router, "listening");
    onTestFinished(() => void router.close());
    const hub = await RunningHub.start({
      yaml: `${QUOTA}
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0, dynauthPort: 0 }]
clients:
  - { name: router, transport: udp, match: { network: 127.0.0.4/32 }, secret: a secret of the test, dynauthPort: ${router.address().port} }
`,
    });
    await hub.hub.store?.ready(10_000);
    const port = hub.addresses.udp.get("legacy")?.find(({ purpose }) => purpose === "acct")?.port ?? 0;
    const came: Packet[] = [];
    router.on("message", (octets, from) => {
      const packet = decodeDatagram(octets);
      came.push(packet);
      if (packet.code !== CODE.disconnectRequest) return;
      router.send(encodeResponse(packet, CODE.disconnectAck, [], SECRET), from.port, from.address);
    });
    const octets = encodeRequest(
      CODE.accountingRequest,
      1,
      accounting(3, "old", "nemo", 2_000_000),
      Buffer.alloc(16),
      SECRET,
    );
    router.send(octets, port, "127.0.0.1");
    await hub.event("quota.acted", ({ outcome }) => outcome === "ack");
    expect(came.map(({ code }) => code)).toEqual([CODE.accountingResponse, CODE.disconnectRequest]);
  });
});

describe("webhooks in a whole hub", () => {
  it("tell of acct sessions, quota and exchanges, signed", async () => {
    const told: { type: string; signed: boolean; data: Record<string, unknown> }[] = [];
    const receiver = createServer((request, response) => void hear(request, response));
    const hear = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      let body = "";
      for await (const chunk of request) body += String(chunk);
      const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = request.headers;
      const expected = createHmac("sha256", "s3cret")
        .update(`${String(id)}.${String(time)}.${body}`)
        .digest("base64");
      told.push({
        ...(JSON.parse(body) as { type: string; data: Record<string, unknown> }),
        signed: signature === `v1,${expected}`,
      });
      response.end();
    };
    receiver.listen(0, "127.0.0.1");
    await once(receiver, "listening");
    onTestFinished(() => {
      receiver.closeAllConnections();
      receiver.close();
    });
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const hub = await RunningHub.start({ yaml: `${QUOTA}webhooks: [{ name: ops, url: "${url}", secret: s3cret }]\n` });
    await hub.hub.store?.ready(10_000);
    const router = new NasSimulator(
      { clock: systemClock, random: systemRandom },
      { host: "127.0.0.1", port: hub.radsecPort, nasIdentifier: "ap-1", tls: await hub.credentials("ap-1") },
    );
    onTestFinished(() => router.stop());
    await router.start();
    const acctSession = router.addAcctSession({ username: "nemo", acctSessionId: "1" });
    await router.sendAccounting("start", acctSession);
    const used = [integerAttribute(43, 1_500_000), integerAttribute(46, 60)];
    await router.sendAccounting("interim", acctSession, used);
    await hub.event("quota.acted");
    await router.sendAccounting("stop", acctSession, used);
    const topics = [
      "exchange.ended",
      "quota.acted",
      "quota.reached",
      "session.ended",
      "session.started",
      "session.updated",
    ];
    await expect.poll(() => told.map(({ type }) => type).sort(), { timeout: 10_000 }).toEqual(topics);
    expect(told.every(({ signed }) => signed)).toBe(true);
    const of = (topic: string) => told.find(({ type }) => type === topic)?.data;
    expect(of("session.ended")).toMatchObject({ key: "ap-1/1", username: "nemo", close_cause: "stop" });
    expect(of("quota.acted")).toMatchObject({ action: "disconnect", outcome: "ack", overshoot: 500_000 });
  });
});

describe("examples/quota", () => {
  it("--once shows a user throttled, disconnected, and disconnected again, and ends with code 0", async () => {
    const root = packageFolder();
    const { code, output } = await runToEnd(process.execPath, [
      join(root, "bin/node24.cjs"),
      join(root, "examples/quota/demo.ts"),
      "--once",
    ]);
    expect(code).toBe(0);
    const text = stripVTControlCharacters(output);
    expect(text).toContain("alice now surfs at 1M/1M");
    expect(text.match(/alice is offline now/g)).toHaveLength(2);
    expect(text.match(/quota: (throttle|disconnect) alice on router-1 at \d+ % of gigabyte: ack, done/g)).toHaveLength(
      3,
    );
    expect(text).toMatch(/webhook +quota\.reached: alice, 80 %/);
    expect(text).toContain("still online: bob, carol");
    // The API: 850 MB are 85 %, and in the end alice has no open acct session.
    const usage = JSON.parse(/GET \/v1\/users\/alice\/usage: HTTP 200 (.*)/.exec(text)?.[1] ?? "") as unknown;
    expect(usage).toMatchObject({
      username: "alice",
      quota: [{ rule: "gigabyte", used: 850_000_000, amount: 1_000_000_000, percent: 85 }],
    });
    const users = /GET \/v1\/sessions\?open=true: HTTP 200 (.*)/.exec(text)?.[1] ?? "";
    const { sessions } = JSON.parse(users) as { sessions: { username: string; nas_identifier: string }[] };
    expect(sessions.map(({ username }) => username).toSorted()).toEqual(["bob", "carol"]);
    expect(sessions.every(({ nas_identifier: nas }) => nas === "router-1")).toBe(true);
    const closed = JSON.parse(/GET \/v1\/sessions\?username=alice: HTTP 200 (.*)/.exec(text)?.[1] ?? "") as unknown;
    const stopped = { open: false, close_cause: "stop" };
    expect(closed).toMatchObject({ sessions: [stopped, { ...stopped, download_octets: 1_050_000_000 }] });
    // Who acted, and how it ended.
    const audit = /GET \/v1\/exchanges\?username=alice: HTTP 200 (.*)/.exec(text)?.[1] ?? "";
    const acted = { trigger: "quota", caller: "gigabyte", outcome: "ack" };
    expect(JSON.parse(audit)).toMatchObject({
      exchanges: [
        { ...acted, name: "Disconnect-Request" },
        { ...acted, name: "Disconnect-Request" },
        { ...acted, name: "CoA-Request" },
      ],
    });
  }, 60_000);
});
