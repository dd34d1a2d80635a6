import { beforeEach, describe, expect, it } from "vitest";
import { ATTRIBUTE } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { verifyRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import type { RequestHandler } from "../../src/transport/link.ts";
import { needs } from "../support/freeradius.ts";
import { radclient } from "../support/radclient.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const SECRET = "a-secret-of-radclient";

const yaml = (more = "", listener = "") => `
udp: [{ name: legacy, addresses: [127.0.0.1, "::1"], authPort: 0, acctPort: 0, dynauthPort: 0, ${listener} }]
clients:
  - { name: four, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET}, mayTrigger: true, ${more} }
  - { name: six, transport: udp, match: { network: "::1/128" }, secret: ${SECRET}, mayTrigger: true, ${more} }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`;

/** Lets Nemo in and keeps accounts, so that every listener has a good answer to give. */
const serving: RequestHandler = ({ packet }) => ({
  kind: "reply",
  code: packet.code === CODE.accountingRequest ? CODE.accountingResponse : CODE.accessAccept,
  attributes: [],
});

function at(hub: RunningHub, purpose: string, address = "127.0.0.1"): string {
  const sockets = hub.addresses.udp.get("legacy") ?? [];
  const port = sockets.find((each) => each.purpose === purpose && each.address === address)?.port;
  return `${address.includes(":") ? `[${address}]` : address}:${port}`;
}

async function hubWithNas(more = "", listener = "") {
  const hub = await RunningHub.start({ yaml: yaml(more, listener), handler: serving });
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await nas.register("nas-07");
  return { hub, nas };
}

const USER = 'User-Name = "nemo"';
const SIGNED = "Message-Authenticator = 0x00";
const NAS = 'NAS-Identifier = "nas-07"';
const LOGIN = [USER, NAS, 'User-Password = "20000 leagues"'];
const QUICK = { timeoutS: 1 };
const ACCT = ["Acct-Status-Type = Start", 'Acct-Session-Id = "a1"'];

describe("radclient at every UDP listener of a running hub", () => {
  beforeEach((context) => needs(context, "radclient"));

  it.each([
    { purpose: "auth", what: "auth", attributes: [...LOGIN, SIGNED], reply: "Access-Accept" },
    { purpose: "acct", what: "acct", attributes: [USER, NAS, ...ACCT], reply: "Accounting-Response" },
    { purpose: "auth", what: "status", attributes: [SIGNED], reply: "Access-Accept" },
    { purpose: "acct", what: "status", attributes: [SIGNED], reply: "Accounting-Response" },
    { purpose: "dynauth", what: "coa", attributes: [USER, 'NAS-Identifier = "nobody"'], reply: "CoA-NAK" },
    {
      purpose: "dynauth",
      what: "disconnect",
      attributes: [USER, 'NAS-Identifier = "nobody"'],
      reply: "Disconnect-NAK",
    },
  ] as const)(
    "UL-03 ST-04 DP-01 $what at the $purpose port, IPv4 and IPv6: $reply",
    async ({ purpose, what, attributes, reply }) => {
      const hub = await RunningHub.start({ yaml: yaml(), handler: serving });
      for (const address of ["127.0.0.1", "::1"]) {
        const asked = await radclient(at(hub, purpose, address), what, SECRET, attributes);
        expect(asked.reply, asked.output).toBe(reply);
      }
    },
  );

  it("BR-01 an Access-Accept has Message-Authenticator as its first attribute", async () => {
    const hub = await RunningHub.start({ yaml: yaml(), handler: serving });
    const { output } = await radclient(at(hub, "auth"), "auth", SECRET, [...LOGIN, SIGNED]);
    expect(output).toMatch(/Received Access-Accept .*\n\s+Message-Authenticator = 0x[0-9a-f]{32}/);
  });

  it("BR-02 an Access-Request without Message-Authenticator is dropped by name, unless the entry of `clients` lets it in", async () => {
    const strict = await RunningHub.start({ yaml: yaml(), handler: serving });
    expect((await radclient(at(strict, "auth"), "auth", SECRET, LOGIN, QUICK)).reply).toBeUndefined();
    expect(strict.eventsOf("packet.dropped").map(({ reason }) => reason)).toEqual(["request-no-message-authenticator"]);
    const lax = await RunningHub.start({ yaml: yaml("requireMessageAuthenticator: false"), handler: serving });
    expect((await radclient(at(lax, "auth"), "auth", SECRET, LOGIN)).reply).toBe("Access-Accept");
  });

  it.each(["auth", "acct", "coa", "disconnect", "status"] as const)(
    "DP-03 UL-09 %s with a wrong secret gets silence",
    async (what) => {
      const hub = await RunningHub.start({ yaml: yaml(), handler: serving });
      const purpose = what === "coa" || what === "disconnect" ? "dynauth" : what === "acct" ? "acct" : "auth";
      const { reply } = await radclient(at(hub, purpose), what, "another secret", [USER, SIGNED, ...ACCT], QUICK);
      expect(reply).toBeUndefined();
      expect(hub.eventsOf("packet.dropped")).toHaveLength(1);
    },
  );

  it("ST-04 Status-Server at the dynauth port gets silence", async () => {
    const hub = await RunningHub.start({ yaml: yaml() });
    expect((await radclient(at(hub, "dynauth"), "status", SECRET, [SIGNED], QUICK)).reply).toBeUndefined();
  });
});

describe("radclient as the AAA server of a router behind RadSec", () => {
  beforeEach((context) => needs(context, "radclient"));

  // radclient signs a CoA or Disconnect with the Request Authenticator alone, as pyrad and so openwisp-radius do.
  it.each([
    { what: "coa", signed: false, reply: "CoA-ACK" },
    { what: "disconnect", signed: false, reply: "Disconnect-ACK" },
    { what: "coa", signed: true, reply: "CoA-ACK" },
    { what: "disconnect", signed: true, reply: "Disconnect-ACK" },
  ] as const)(
    "BR-05 DP-26 $what, with Message-Authenticator: $signed: the router gets one, and its ACK comes back",
    async ({ what, signed, reply }) => {
      const { hub, nas } = await hubWithNas();
      const attributes = [NAS, USER, 'Acct-Session-Id = "a1"', ...(signed ? [SIGNED] : [])];
      const asking = radclient(at(hub, "dynauth"), what, SECRET, attributes);
      const request = await nas.packet(1);
      expect(verifyRequest(request, RADSEC_SECRET)).toBe("ok");
      expect(request.attributes.map(({ type }) => type)).toEqual([
        ATTRIBUTE.messageAuthenticator,
        ATTRIBUTE.nasIdentifier,
        ATTRIBUTE.userName,
        ATTRIBUTE.acctSessionId,
        ATTRIBUTE.eventTimestamp,
      ]);
      nas.answer(request);
      expect((await asking).reply).toBe(reply);
    },
  );

  it("DP-26 a NAK comes back with its Error-Cause", async () => {
    const { hub, nas } = await hubWithNas();
    const asking = radclient(at(hub, "dynauth"), "disconnect", SECRET, [NAS, USER]);
    const request = await nas.packet(1);
    nas.answer(request, CODE.disconnectNak, [{ type: 101, value: Buffer.from([0, 0, 1, 0xf7]) }]);
    const { reply, output } = await asking;
    expect(reply).toBe("Disconnect-NAK");
    expect(output).toContain("Error-Cause = Session-Context-Not-Found");
  });

  it("DP-06 its retransmission joins the exchange in flight: the router has one request", async () => {
    const { hub, nas } = await hubWithNas();
    const asking = radclient(at(hub, "dynauth"), "disconnect", SECRET, [NAS, USER], { timeoutS: 1, tries: 3 });
    const request = await nas.packet(1);
    await hub.event("packet.dropped", ({ reason }) => reason === "duplicate");
    nas.answer(request);
    expect((await asking).reply).toBe("Disconnect-ACK");
    expect(nas.received).toHaveLength(2);
  });

  it.each(["coa", "disconnect"] as const)(
    "%s at the auth port of a listener that takes triggers there",
    async (what) => {
      const { hub, nas } = await hubWithNas("", "triggersOnAuthPort: true");
      const asking = radclient(at(hub, "auth"), what, SECRET, [NAS, USER]);
      nas.answer(await nas.packet(1));
      expect((await asking).reply).toBe(what === "coa" ? "CoA-ACK" : "Disconnect-ACK");
    },
  );
});
