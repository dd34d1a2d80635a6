import { describe, expect, it, vi } from "vitest";
import { UdpServer } from "../../../../src/aaa/upstream/udp-server.ts";
import type { UdpServerOptions } from "../../../../src/aaa/upstream/options.ts";
import { systemRandom } from "../../../../src/clock.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import type { LinkOutcome } from "../../../../src/transport/link.ts";
import type { UdpRequest } from "../../../../src/transport/udp-requester.ts";
import { udpServer } from "../../../support/forwarding-hub.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** A server, and how each request to it ends. */
function serverWhere(
  outcome: (request: UdpRequest) => LinkOutcome | Promise<LinkOutcome>,
  changes: Partial<UdpServerOptions> = {},
) {
  const sent: UdpRequest[] = [];
  const request = async (each: UdpRequest) => {
    sent.push(each);
    return outcome(each);
  };
  const deps = { clock: new ManualClock(), random: systemRandom, nasIdentifier: "hub", changed: () => undefined };
  return { sent, server: new UdpServer({ ...deps, udp: { request } }, udpServer("home", 1812, changes)) };
}

const TIMEOUT: LinkOutcome = { kind: "timeout" };

function question(deadline = 1_000) {
  return { code: CODE.accessRequest, seal: () => [], deadline, signal: new AbortController().signal };
}

describe("UdpServer", () => {
  it("ST-13 a probe is sent once, whatever the plan of requests is (RFC 5997 Section 4.1)", async () => {
    const { sent, server } = serverWhere(() => TIMEOUT);
    server.probe();
    await vi.waitUntil(() => sent.length === 1);
    await server.stop();
    expect(sent[0]).toMatchObject({ code: CODE.statusServer, plan: { mrc: 1 } });
  });

  it.each<readonly [LinkOutcome, string]>([
    [{ kind: "closed", written: true, reason: "port-unreachable" }, "silent"],
    [{ kind: "closed", written: false, reason: "port-unreachable" }, "unsent"],
    [{ kind: "busy", why: "queue-full" }, "unsent"],
    [{ kind: "aborted", written: true }, "aborted"],
    [TIMEOUT, "silent"],
  ])("a request that ended as %j is %s: what was written may have been heard", async (outcome, kind) => {
    const { server } = serverWhere(() => outcome);
    expect(await server.ask(question())).toEqual({ kind });
    expect(server.outstanding).toBe(0);
  });

  it("gives a request its own time, and no more than is left of the first try (CON-10)", async () => {
    const { sent, server } = serverWhere(() => TIMEOUT, { replyTimeoutMs: 5_000, suspectAfter: 9 });
    await server.ask(question(60_000));
    await server.ask(question(1_000));
    expect(sent.map(({ deadline }) => deadline)).toEqual([5_000, 1_000]);
  });

  it("stop() ends a probe that is under way", async () => {
    const { sent, server } = serverWhere(() => new Promise(() => undefined));
    server.probe();
    await vi.waitUntil(() => sent.length === 1);
    expect(sent[0]?.signal?.aborted).toBe(false);
    await server.stop();
    expect(sent[0]?.signal?.aborted).toBe(true);
  });

  it("BR-08 asks for Message-Authenticator in replies as its options say", async () => {
    for (const requireMessageAuthenticator of [true, false]) {
      const { sent, server } = serverWhere(() => TIMEOUT, { requireMessageAuthenticator });
      await server.ask(question());
      expect(sent[0]?.requireMessageAuthenticator).toBe(requireMessageAuthenticator);
    }
  });

  it("a name that leads nowhere is a request unsent, and counts against the server", async () => {
    const { sent, server } = serverWhere(() => TIMEOUT, { host: "no-such-host.invalid", suspectAfter: 1 });
    expect(await server.ask(question())).toEqual({ kind: "unsent" });
    expect([sent, server.state]).toEqual([[], "suspect"]);
    await server.stop();
  });
});
