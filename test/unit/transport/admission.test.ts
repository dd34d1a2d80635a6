import { describe, expect, it } from "vitest";
import { Admission, type ConnectionLimits, type HalfOpen } from "../../../src/transport/admission.ts";
import type { RefusalReason } from "../../../src/transport/refusal.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const LIMITS: ConnectionLimits = {
  links: 100,
  linksPerPeer: 100,
  linksPerAddress: 100,
  halfOpen: 4,
  halfOpenPerAddress: 2,
  newPerSecondPerAddress: 1_000,
};

/** Opens connections as the listener does. */
function gate(changes: Partial<ConnectionLimits> = {}) {
  const clock = new ManualClock();
  const admission = new Admission(clock, { ...LIMITS, ...changes });
  return {
    clock,
    admission,
    open: (address: string, octetsRead = 0) => {
      const connection: HalfOpen & { refusal: RefusalReason | undefined } = {
        openedAt: clock.now(),
        octetsRead,
        refusal: undefined,
        refuse(reason) {
          this.refusal = reason;
          admission.leave(this);
        },
      };
      const reason = admission.enter(connection) ?? admission.locate(connection, address);
      if (reason !== undefined) connection.refuse(reason);
      return connection;
    },
  };
}

describe("Admission (invariant 8)", () => {
  it("CON-17 refuses one handshake beyond halfOpen, and admits again once one has left", () => {
    const { open, admission } = gate();
    const connections = [1, 2, 3, 4].map((host) => open(`192.0.2.${host}`));
    expect(open("192.0.2.5").refusal).toBe("too-many-half-open");
    expect(admission.halfOpen).toBe(4);
    admission.leave(connections[0] as HalfOpen);
    expect(open("192.0.2.5").refusal).toBeUndefined();
  });

  it("CON-17 refuses one handshake beyond halfOpenPerAddress; an IPv6 /64 is one address", () => {
    const { open } = gate();
    expect(
      [open("2001:db8::1"), open("2001:db8::2"), open("2001:db8::3"), open("2001:db8:0:1::1")].map((c) => c.refusal),
    ).toEqual([undefined, undefined, "too-many-half-open-of-address", undefined]);
  });

  it("CON-17 lets the newcomer have the place of a connection that stays silent, in all and of its address", () => {
    const { open, clock, admission } = gate();
    const idle = open("192.0.2.1");
    const speaking = open("192.0.2.1", 1);
    clock.advance(250);
    expect(open("192.0.2.1").refusal).toBeUndefined();
    expect(idle.refusal).toBe("too-many-half-open-of-address");
    const others = [open("192.0.2.2", 1), open("192.0.2.3", 1)];
    expect(admission.halfOpen).toBe(4);
    clock.advance(250);
    expect(open("192.0.2.4").refusal).toBeUndefined();
    expect([speaking, ...others].map((connection) => connection.refusal)).toEqual([undefined, undefined, undefined]);
  });

  it("CON-17 takes no place of a connection that is too young to be silent", () => {
    const { open, clock } = gate();
    const young = [open("192.0.2.1"), open("192.0.2.1")];
    clock.advance(249);
    expect(open("192.0.2.1").refusal).toBe("too-many-half-open-of-address");
    expect(young.map((connection) => connection.refusal)).toEqual([undefined, undefined]);
  });

  it("counts right when making room empties the group of the newcomer", () => {
    const { open, clock, admission } = gate({ halfOpenPerAddress: 1 });
    open("192.0.2.1");
    clock.advance(250);
    const second = open("192.0.2.1", 1);
    expect(open("192.0.2.1").refusal).toBe("too-many-half-open-of-address");
    admission.leave(second);
    expect(open("192.0.2.1").refusal).toBeUndefined();
    expect(admission.halfOpen).toBe(1);
  });

  it("CON-16 refuses more than newPerSecondPerAddress in one second, and only from that address", () => {
    const { open, clock, admission } = gate({ newPerSecondPerAddress: 2 });
    const knock = (address: string) => {
      const connection = open(address);
      admission.leave(connection);
      return connection.refusal;
    };
    expect([1, 2, 3].map(() => knock("192.0.2.1"))).toEqual([undefined, undefined, "too-many-new"]);
    expect(knock("192.0.2.2")).toBeUndefined();
    clock.advance(1_000);
    expect(knock("192.0.2.1")).toBeUndefined();
  });
});
