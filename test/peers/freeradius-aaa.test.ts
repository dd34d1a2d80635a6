import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { homeUpstream, needs, startHomeServer } from "../support/freeradius.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const EXAMPLE = join(import.meta.dirname, "../../examples/freeradius");
const DAC_SECRET = "a-secret-of-the-example";

/** A snippet of examples/freeradius with the ports and secrets of the test. */
async function snippet(name: string, hubPort: number): Promise<string> {
  const text = await readFile(join(EXAMPLE, name), "utf8");
  return text
    .replace(/ipaddr = \S+/, "ipaddr = 127.0.0.1")
    .replace(/port = \d+/, `port = ${hubPort}`)
    .replace(/secret = \S+/, `secret = ${DAC_SECRET}`);
}

/** A router behind RadSec, whose accounting goes through the hub to FreeRADIUS, which sends CoA and Disconnect back to the hub. */
async function circle() {
  const dynauthPort = await freeUdpPort();
  const home = await startHomeServer({
    sections: await snippet("proxy.conf", dynauthPort),
    client: "coa_server = radsec-hub",
    accounting: await snippet("accounting.conf", dynauthPort),
  });
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: ${dynauthPort} }]
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${DAC_SECRET}, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
${homeUpstream(home)}`,
  });
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await nas.register("nas-07");
  return { home, hub, nas };
}

const NAS = textAttribute(32, "nas-07");
const USER = textAttribute(1, "nemo");
const ACCT_SESSION = textAttribute(44, "a1");
const INTERIM = integerAttribute(40, 3);

describe("FreeRADIUS as AAA server that asks the hub for Disconnect and CoA", () => {
  beforeEach((context) => needs(context, "freeradius"));

  it.each([
    { what: "update disconnect", octets: 2_000_000_000, code: CODE.disconnectRequest, answer: "Disconnect-ACK" },
    { what: "update coa", octets: 1_000_000_000, code: CODE.coaRequest, answer: "CoA-ACK" },
  ])(
    "DP-01 DP-26 $what reaches the router behind RadSec that the accounting came from, and its ACK comes back",
    async ({ octets, code, answer }) => {
      const { home, nas } = await circle();
      nas.request(CODE.accountingRequest, [NAS, USER, ACCT_SESSION, INTERIM, integerAttribute(42, octets)], 9);
      const packets = [await nas.packet(1), await nas.packet(2)];
      expect(packets.map((packet) => packet.code).sort((a, b) => a - b)).toEqual([CODE.accountingResponse, code]);
      const request = packets.find((packet) => packet.code === code);
      const named = request?.attributes.filter(({ type }) => type === 1 || type === 32 || type === 44);
      expect(named?.map(({ value }) => value.toString()).sort()).toEqual(["a1", "nas-07", "nemo"]);
      if (request !== undefined) nas.answer(request);
      await home.program.says(new RegExp(`Received ${answer} Id`));
    },
  );

  it("DP-26 the NAK of the router comes back with its Error-Cause", async () => {
    const { home, nas } = await circle();
    nas.request(CODE.accountingRequest, [NAS, USER, ACCT_SESSION, INTERIM, integerAttribute(42, 2_000_000_000)], 9);
    const packets = [await nas.packet(1), await nas.packet(2)];
    const request = packets.find((packet) => packet.code === CODE.disconnectRequest);
    if (request !== undefined) nas.answer(request, CODE.disconnectNak, [integerAttribute(101, 503)]);
    await home.program.says(/Received Disconnect-NAK Id [^\n]*\n[^R]*Error-Cause = Session-Context-Not-Found/);
  });
});
