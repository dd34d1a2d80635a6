import { describe, expect, it } from "vitest";
import { type Attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

const START = 1;
const INTERIM = 3;

async function start(): Promise<{ hub: RunningHub; nas: RawNas }> {
  const hub = await RunningHub.start({ yaml: "accounting: {}" });
  await hub.hub.store?.ready(10_000);
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await hub.event("link.up");
  return { hub, nas };
}

function record(status: number, more: readonly Attribute[] = []): Attribute[] {
  return [
    integerAttribute(40, status),
    textAttribute(44, "s-1"),
    textAttribute(1, "nemo"),
    textAttribute(32, "nas-07"),
    textAttribute(31, "aa:bb:cc:dd:ee:ff"),
    ...more,
  ];
}

describe("a hub that keeps books", () => {
  it("UL-10 UL-14 UL-15 answers an Accounting-Request once it is stored, with the Proxy-States and nothing else", async () => {
    const { hub, nas } = await start();
    nas.request(CODE.accountingRequest, record(START, [textAttribute(33, "state")]), 1);
    const reply = await nas.packet(0);
    expect(reply.code).toBe(CODE.accountingResponse);
    expect(reply.attributes.map(({ type }) => type)).toEqual([33]);
    const found = await hub.hub.store?.acctSessions.find({ username: "nemo" }, { limit: 10 });
    expect(found?.items).toMatchObject([{ acctSessionId: "s-1", open: true, facts: { nasIdentifier: "nas-07" } }]);
  });

  it.each<[string, Attribute[]]>([
    ["User-Name", [textAttribute(1, "nemo")]],
    ["Acct-Session-Id", [textAttribute(44, "s-1")]],
    ["Calling-Station-Id in another notation", [textAttribute(31, "AA-BB-CC-DD-EE-FF")]],
  ])(
    "a Disconnect that names only %s finds the router, and goes out as that router knows the acct session",
    async (_, attributes) => {
      const { hub, nas } = await start();
      nas.request(CODE.accountingRequest, record(START), 1);
      await nas.packet(0);
      const outcomes = hub.hub.dynauth.exchange({ code: 40, target: {}, attributes, trigger: "test" });
      const request = await nas.packet(1);
      expect(request.attributes.find(({ type }) => type === 44)?.value.toString()).toBe("s-1");
      expect(request.attributes.find(({ type }) => type === 1)?.value.toString()).toBe("nemo");
      const station = request.attributes.find(({ type }) => type === 31)?.value.toString();
      expect([undefined, "aa:bb:cc:dd:ee:ff"]).toContain(station);
      nas.answer(request);
      expect(await outcomes).toMatchObject([{ kind: "ack", acctSessionKey: expect.any(String) }]);
    },
  );

  it("nobody is found where no open acct session fits", async () => {
    const { hub } = await start();
    const attributes = [textAttribute(1, "somebody else")];
    const outcomes = await hub.hub.dynauth.exchange({ code: 40, target: {}, attributes, trigger: "test" });
    expect(outcomes).toMatchObject([{ kind: "no-route", why: "no-session" }]);
  });

  it("UL-22 the same Interim-Update under another Identifier is counted once", async () => {
    const { hub, nas } = await start();
    const counters = [integerAttribute(42, 1_000), integerAttribute(43, 5_000), integerAttribute(46, 60)];
    nas.request(CODE.accountingRequest, record(START), 1);
    nas.request(CODE.accountingRequest, record(INTERIM, counters), 2);
    nas.request(CODE.accountingRequest, record(INTERIM, [...counters, integerAttribute(41, 5)]), 3);
    await nas.packet(2);
    const [total] = (await hub.hub.store?.usage.totals([{ username: "nemo", periodKeys: ["total"] }])) ?? [];
    expect(total).toMatchObject({ uploadOctets: 1_000, downloadOctets: 5_000 });
  });

  it("a folder for the store that can not be made is a mistake of the configuration", async () => {
    const yaml = 'accounting: {}\nstore: "/dev/null/hub.db"';
    await expect(RunningHub.start({ yaml })).rejects.toMatchObject({ code: "ERR_CONFIG" });
  });
});
