import { pino } from "pino";
import { beforeEach, describe, expect, it } from "vitest";
import type { PacketDropped } from "../../../src/events.ts";
import { EventLog } from "../../../src/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

describe("EventLog and dropped packets", () => {
  const clock = new ManualClock();
  let lines: { msg: string; suppressed?: number }[];
  let log: EventLog;
  beforeEach(() => {
    lines = [];
    log = new EventLog(pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) }), clock);
  });

  function drop(changes: Partial<PacketDropped>): void {
    log.write({
      type: "packet.dropped",
      atMs: 0,
      linkId: undefined,
      listener: "lan",
      peer: "10.0.0.1",
      client: "hotspots",
      reason: "request-no-message-authenticator",
      ...changes,
    });
  }

  it("BR-09 says how to fix the router, and how to let it in as it is", () => {
    drop({});
    expect(lines[0]?.msg).toContain("packet of 10.0.0.1 (client hotspots) dropped: request-no-message-authenticator");
    expect(lines[0]?.msg).toContain("let the router send Message-Authenticator");
    expect(lines[0]?.msg).toContain("requireMessageAuthenticator: false");
    drop({ reason: "request-proxy-state" });
    expect(lines[1]?.msg).toContain("limitProxyState: false");
  });

  it("BR-08 says how to go on with a server that signs its replies as before BlastRADIUS", () => {
    drop({ listener: "requester", client: undefined, reason: "reply-no-message-authenticator" });
    expect(lines[0]?.msg).toContain("update the server");
    expect(lines[0]?.msg).toContain("requireMessageAuthenticator: false");
  });

  it("BR-09 forged sources fill no log: one line a minute for each client, and for all strangers of a listener", () => {
    for (let last = 0; last < 200; last += 1) {
      drop({ peer: `10.0.0.${last}` });
      drop({ peer: `192.0.2.${last}`, client: undefined, reason: "unknown-source" });
    }
    expect(lines).toHaveLength(2);
    clock.advance(60_000);
    drop({});
    expect(lines[2]).toMatchObject({ suppressed: 199 });
  });

  it("packets of links have a line for each peer", () => {
    for (const peer of ["edge-1", "edge-2", "edge-1"])
      drop({ linkId: "l1", client: undefined, peer, reason: "duplicate" });
    expect(lines.map(({ msg }) => msg)).toEqual([
      "packet of edge-1 dropped: duplicate",
      "packet of edge-2 dropped: duplicate",
    ]);
  });
});
