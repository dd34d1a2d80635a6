import { describe, expect, it } from "vitest";
import { ATTRIBUTE, type Attribute, firstInteger, textAttribute } from "../../src/radius/attribute.ts";
import { CODE, codeName } from "../../src/radius/codes.ts";
import { AccountingRouter, START, startHub } from "../support/accounting-router.ts";
import { hubConfig, type RunningHub } from "../support/running-hub.ts";
import { request, UdpHost } from "../support/udp-fixture.ts";

const HOME = "127.0.0.9";
const STOP = 2;

const yaml = (checkSessions: boolean) => `
accounting: {}
udp: [{ name: lan, addresses: [127.0.0.1], dynauthPort: 0 }]
dynauth: { realms: [ours.example, else.example], checkSessions: ${checkSessions} }
clients:
  - { name: aaa, transport: udp, match: { network: ${HOME} }, secret: a secret of sixteen octets, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }`;

const NAS = textAttribute(ATTRIBUTE.nasIdentifier, "edge-1");
const text = textAttribute;
const user = (name: string) => text(ATTRIBUTE.userName, name);
const acctSession = (name: string) => text(ATTRIBUTE.acctSessionId, name);
const operator = (name: string) => text(ATTRIBUTE.operatorName, name);

/** A router that answers every request with ACK, and an AAA server. */
async function scene(checkSessions: boolean) {
  const running = await startHub(yaml(checkSessions));
  const router = await AccountingRouter.of(running, "edge-1");
  const home = await UdpHost.open(HOME);
  const port = running.addresses.udp.get("lan")?.[0]?.port as number;
  /** What the AAA server hears; the router answers what it gets. */
  const ask = async (...attributes: readonly Attribute[]): Promise<string> => {
    const asked = request(CODE.disconnectRequest, [NAS, ...attributes]);
    const seen = router.nas.received.length;
    router.nas.packet(seen).then(
      (packet) => router.nas.answer(packet),
      () => undefined, // the NAS was not asked
    );
    const reply = await home.ask(asked, port);
    return [codeName(reply.code), firstInteger(reply.attributes, ATTRIBUTE.errorCause)].join(" ").trim();
  };
  return { running, router, ask };
}

async function checksOf(running: RunningHub): Promise<Record<string, number>> {
  const metrics = await (await fetch(`${running.api}/metrics`)).text();
  const samples = metrics.matchAll(/^radsec_hub_session_checks_total\{result="(\w+)"\} (\d+)$/gm);
  return Object.fromEntries([...samples].map(([, result = "", count]) => [result, Number(count)]));
}

describe("a Disconnect of a DAC for an acct session at a NAS", () => {
  it("DP-30 session records say otherwise: NAK 503, and the NAS is not asked", async () => {
    const { running, router, ask } = await scene(true);
    await router.account(START, "alice", "s1", [operator("1ours.example")]);
    await router.account(START, "bob", "s2");
    await router.account(STOP, "bob", "s2");
    const before = router.nas.received.length;
    expect(await ask(user("bob"), acctSession("s1"))).toBe("Disconnect-NAK 503");
    expect(await ask(user("alice"), acctSession("s1"), operator("1else.example"))).toBe("Disconnect-NAK 503");
    expect(await ask(user("bob"), acctSession("s2"))).toBe("Disconnect-NAK 503");
    expect(router.nas.received).toHaveLength(before);
    expect(await checksOf(running)).toEqual({ fits: 0, unknown: 0, refused: 3, failed: 0 });
  });

  it("DP-30 what fits, and what is not on record, goes to the NAS, which knows", async () => {
    const { running, router, ask } = await scene(true);
    await router.account(START, "alice", "s1", [operator("1ours.example")]);
    expect(await ask(user("alice"), acctSession("s1"), operator("1ours.example"))).toBe("Disconnect-ACK");
    expect(await ask(user("carol"), acctSession("s9"))).toBe("Disconnect-ACK");
    expect(await ask(user("bob"))).toBe("Disconnect-ACK");
    expect(await checksOf(running)).toEqual({ fits: 1, unknown: 1, refused: 0, failed: 0 });
  });

  it("DP-30 goes to the NAS while the store is down", async () => {
    const { running, router, ask } = await scene(true);
    await router.account(START, "alice", "s1");
    await running.hub.store?.stop();
    expect(await ask(user("bob"), acctSession("s1"))).toBe("Disconnect-ACK");
    expect(await checksOf(running)).toMatchObject({ failed: 1 });
  });

  it("DP-30 is not compared unless hub.yaml says so; a reload changes it", async () => {
    const { running, router, ask } = await scene(false);
    await router.account(START, "alice", "s1");
    expect(await ask(user("bob"), acctSession("s1"))).toBe("Disconnect-ACK");
    expect(await checksOf(running)).toEqual({ fits: 0, unknown: 0, refused: 0, failed: 0 });
    await running.hub.apply(hubConfig(yaml(true), running.folder));
    expect(await ask(user("carol"), acctSession("s1"))).toBe("Disconnect-NAK 503");
  });
});
