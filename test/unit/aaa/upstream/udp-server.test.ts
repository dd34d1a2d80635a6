import { expect, it, vi } from "vitest";
import { UdpServer } from "../../../../src/aaa/upstream/udp-server.ts";
import { systemClock, systemRandom } from "../../../../src/clock.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import type { UdpRequest } from "../../../../src/transport/udp-requester.ts";
import { udpServer } from "../../../support/forwarding-hub.ts";

it("ST-13 a probe is sent once, whatever the plan of requests is (RFC 5997 Section 4.1)", async () => {
  const sent: UdpRequest[] = [];
  const request = (each: UdpRequest) => {
    sent.push(each);
    return Promise.resolve({ kind: "timeout", waitedMs: 1 } as const);
  };
  const deps = { clock: systemClock, random: systemRandom, nasIdentifier: "hub", changed: () => undefined };
  const server = new UdpServer({ ...deps, udp: { request } }, udpServer("home", 1812));
  server.probe();
  await vi.waitUntil(() => sent.length === 1);
  await server.stop();
  expect(sent[0]).toMatchObject({ code: CODE.statusServer, plan: { mrc: 1 } });
});
