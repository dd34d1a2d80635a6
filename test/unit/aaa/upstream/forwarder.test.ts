import { expect, it } from "vitest";
import { Conversations } from "../../../../src/aaa/upstream/conversations.ts";
import { Forwarder } from "../../../../src/aaa/upstream/forwarder.ts";
import { Pool } from "../../../../src/aaa/upstream/pool.ts";
import type { UpstreamAnswer, UpstreamServer } from "../../../../src/aaa/upstream/upstream-server.ts";
import { ProxyMark } from "../../../../src/dynauth/trigger-attributes.ts";
import { textAttribute } from "../../../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../../../src/radius/authenticator.ts";
import { CODE } from "../../../../src/radius/codes.ts";
import { decodePacket } from "../../../../src/radius/packet.ts";
import { FakeLink } from "../../../support/fake-link.ts";
import { ManualClock } from "../../../support/manual-clock.ts";

/** What a router behind TLS hears when the servers of a pool, asked in order, end like this. */
async function hears(...kinds: readonly Exclude<UpstreamAnswer["kind"], "reply">[]) {
  const servers = kinds.map(
    (kind, index): UpstreamServer => ({
      name: `server-${index}`,
      transport: "radsec",
      state: "alive",
      outstanding: 0,
      start: () => undefined,
      stop: () => Promise.resolve(),
      probe: () => undefined,
      ask: () => Promise.resolve({ kind }),
    }),
  );
  const pool = new Pool({ name: "pool", timeoutMs: 1_000, mode: "fail-over" }, servers);
  const mark = new ProxyMark(Buffer.alloc(12));
  const octets = encodeRequest(CODE.accessRequest, 1, [textAttribute(1, "nemo")], Buffer.alloc(16), RADSEC_SECRET);
  const context = {
    packet: decodePacket(octets),
    link: new FakeLink({ linkId: "link" }),
    signal: new AbortController().signal,
    afterReply: () => undefined,
  };
  const reply = await new Forwarder({ clock: new ManualClock(), mark, poolOf: () => pool }).forward(context);
  return reply?.kind === "reply" ? reply.code : reply?.reason;
}

it("PE-01 a router hears that nobody was reached only where nobody was: one silent server may have acted", async () => {
  expect(await hears("unsent", "unsent")).toBe(CODE.protocolError);
  expect(await hears("silent", "unsent")).toBe("upstream-silent");
  expect(await hears("unsent", "silent")).toBe("upstream-silent");
});

it("the same State of two routers belongs to two conversations", () => {
  const conversations = new Conversations();
  const challenge = [textAttribute(24, "state")];
  conversations.remember("one", challenge, "server-1");
  conversations.remember("two", challenge, "server-2");
  expect(["one", "two", "three"].map((peerKey) => conversations.serverOf(peerKey, challenge))).toEqual([
    "server-1",
    "server-2",
    undefined,
  ]);
});
