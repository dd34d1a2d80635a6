import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createSecureContext, createServer } from "node:tls";
import { expect, it, onTestFinished } from "vitest";
import { makeThrowAwayPki } from "../../pki/throw-away.ts";
import { systemClock } from "../../src/clock.ts";
import { type DialResult, dial } from "../../src/transport/dial.ts";

it("a name is sent as SNI, an address never is (RFC 6066 Section 3)", async () => {
  const { ca, hub } = await makeThrowAwayPki();
  const asked: string[] = [];
  const server = createServer({
    cert: hub.certificatePem,
    key: hub.keyPem,
    ALPNProtocols: ["radius/1.0"],
    SNICallback: (serverName, done) => {
      asked.push(serverName);
      done(null);
    },
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const secureContext = createSecureContext({ ca: ca.certificatePem });
  for (const serverName of ["127.0.0.1", "::1", "localhost"]) {
    const target = { host: "127.0.0.1", port, serverName, secureContext, timeoutMs: 10_000, isSelf: () => false };
    const result = await new Promise<DialResult>((resolve) => dial(target, systemClock, resolve));
    expect(result.kind).toBe("connected");
    if (result.kind === "connected") result.socket.destroy();
  }
  expect(asked).toEqual(["localhost"]);
});
