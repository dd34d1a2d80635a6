import { expect, it } from "vitest";
import { systemClock, systemRandom } from "../../../src/clock.ts";
import { encodeRequest, SharedSecret } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { TimingWheel } from "../../../src/transport/timing-wheel.ts";
import type { UdpLink } from "../../../src/transport/udp-link.ts";
import type { UdpPeers } from "../../../src/transport/udp-peers.ts";
import { UdpPort, type UdpPortOptions } from "../../../src/transport/udp-port.ts";
import { UdpSocket } from "../../../src/transport/udp-socket.ts";
import { clientEntry } from "../../support/client-entries.ts";

const OPTIONS: UdpPortOptions = {
  triggersOnAuthPort: false,
  statusServer: { enabled: true, perSecondMax: 10 },
  duplicates: { authAcctMs: 30_000, dynauthMs: 300_000, entriesMax: 10 },
  rejectDelayMs: { min: 1_000, max: 1_000 },
  timestampWindowMs: 300_000,
  requireEventTimestamp: false,
};

// No system lets a test send from port 0, and an attacker needs no system.
it("a request from port 0, which no answer can be sent to, is dropped and counted", async () => {
  const secret = new SharedSecret("a secret of the test");
  const link = { client: clientEntry({ transport: "udp", secret }), number: 1, working: { count: 0 } };
  const seen: string[] = [];
  const port = new UdpPort(
    { purpose: "dynauth", address: "127.0.0.1", listener: "lan" },
    {
      clock: systemClock,
      random: systemRandom,
      wheel: new TimingWheel(systemClock),
      peers: { find: () => link as unknown as UdpLink } as unknown as UdpPeers,
      observer: { request: () => undefined, statusServer: () => undefined },
      handler: () => ({ kind: "discard", reason: "handler-discard" }),
      trigger: () => (seen.push("asked"), { kind: "discard", reason: "handler-discard" }),
      dropped: (reason) => seen.push(reason),
    },
    OPTIONS,
    65_536,
  );
  const octets = encodeRequest(CODE.disconnectRequest, 1, [], Buffer.alloc(16), secret);
  port.received(octets, { address: "127.0.0.1", family: "IPv4", port: 0, size: octets.length });
  expect(seen).toEqual(["no-source-port"]);
  port.received(octets, { address: "127.0.0.1", family: "IPv4", port: 1, size: octets.length });
  expect(seen).toContain("asked");
  port.close();
});

it("what no datagram can be sent to is a failed sending, and throws at nobody", async () => {
  const failed = Promise.withResolvers<NodeJS.ErrnoException>();
  const socket = new UdpSocket("127.0.0.1", { received: () => undefined, failed: failed.resolve });
  await socket.bind("127.0.0.1", 0);
  socket.sendTo(Buffer.alloc(20), 0, "127.0.0.1");
  expect((await failed.promise).code).toBe("ERR_SOCKET_BAD_PORT");
  socket.close();
});
