import { beforeEach, describe, expect, it } from "vitest";
import { ENTRANCES, ROUTER_SECRET } from "../support/entrances.ts";
import { HOME_USER, homeUpstream, needs, startHomeServer } from "../support/freeradius.ts";
import { radclient } from "../support/radclient.ts";
import { RunningHub } from "../support/running-hub.ts";

const NAS = 'NAS-Identifier = "nas-07"';
const USER = `User-Name = "${HOME_USER.name}"`;
const SIGNED = "Message-Authenticator = 0x00";
// RFC 2759 Section 9.2: what "User" with "clientPass" answers to this challenge, and what the server proves with.
const CHALLENGE = "MS-CHAP-Challenge = 0x5b5d7c7d7b3f2f3e3c2c602132262628";
const peerChallenge = "21402324255e262a28295f2b3a337c7e";
const ntResponse = "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df";
const RESPONSE = `MS-CHAP2-Response = 0x0100${peerChallenge}${"00".repeat(8)}${ntResponse}`;
const PROOF = "S=407A5589115FD0D6209F510FE9C04566932CDA56";
// RFC 3079 Section 3.5.3: the 128-bit session key of that conversation.
const SESSION_KEY = "8b7cdc149b993a1ba118cb153f56dccb";

describe.each(ENTRANCES)("FreeRADIUS as home server behind a running hub, over $over", (way) => {
  beforeEach((context) => needs(context, "freeradius", "radclient", "radsecproxy"));

  async function router() {
    const home = await startHomeServer(way.home);
    const { authPort, acctPort } = await way.entrance(home);
    return {
      home,
      logIn: (...attributes: readonly string[]) =>
        radclient(`127.0.0.1:${authPort}`, "auth", ROUTER_SECRET, [USER, NAS, SIGNED, ...attributes]),
      account: (...attributes: readonly string[]) =>
        radclient(`127.0.0.1:${acctPort}`, "acct", ROUTER_SECRET, [USER, NAS, ...attributes]),
    };
  }

  it.each([
    { kind: "PAP", attribute: "User-Password" },
    { kind: "CHAP", attribute: "CHAP-Password" },
  ])("CRY-15 $kind: the home server can judge the password of the router's user", async ({ attribute }) => {
    const { logIn } = await router();
    const { reply, output } = await logIn(`${attribute} = "${HOME_USER.password}"`);
    expect(reply, output).toBe("Access-Accept");
    expect((await logIn(`${attribute} = "${HOME_USER.password}!"`)).reply).toBe("Access-Reject");
  });

  it("CRY-15 MS-CHAPv2: the proof of the home server and the session keys, hidden anew, come back to the router", async () => {
    const { logIn } = await router();
    const { reply, output } = await logIn(CHALLENGE, RESPONSE);
    expect(reply, output).toBe("Access-Accept");
    expect(output).toContain(Buffer.from(PROOF).toString("hex"));
    expect(output).toMatch(new RegExp(`MS-MPPE-(Send|Recv)-Key = 0x${SESSION_KEY}`));
  });

  it("an Accounting-Request is acknowledged once the home server has it", async () => {
    const { home, account } = await router();
    const { reply } = await account("Acct-Status-Type = Start", 'Acct-Session-Id = "a1"');
    expect(reply).toBe("Accounting-Response");
    expect(home.program.output).toMatch(/Received Accounting-Request/);
  });
});

describe("FreeRADIUS as home server that a hub has dialled", () => {
  beforeEach((context) => needs(context, "freeradius"));

  it("WD-01 WD-03 answers its watchdog, one Status-Server after the other, and the link stays", async () => {
    const home = await startHomeServer({ radsec: true });
    const hub = await RunningHub.start({ yaml: homeUpstream(home) });
    await hub.event("upstream.up");
    await home.program.says(/(Received Status-Server Id 0 [\s\S]*Sent Access-Accept Id 0 [\s\S]*){2}/, 30_000);
    expect(hub.events.filter(({ type }) => type.startsWith("upstream.")).map(({ type }) => type)).toEqual([
      "upstream.up",
    ]);
    expect(hub.eventsOf("packet.dropped")).toEqual([]);
  }, 60_000);
});
