import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { type Audited, ExchangeAudit } from "../../../src/aaa/audit/exchange-audit.ts";
import { EventFeed } from "../../../src/events.ts";
import { CODE } from "../../../src/radius/codes.ts";
import type { AuditEntry } from "../../../src/store/audit-types.ts";
import type { Store } from "../../../src/store/types.ts";
import { ManualClock } from "../../support/manual-clock.ts";

/** What is appended, a list a write. */
function start(audited: Audited) {
  const writes: (readonly AuditEntry[])[] = [];
  const clock = new ManualClock();
  const audit = { append: async (entries: readonly AuditEntry[]) => void writes.push(entries) };
  const store = { audit, acctSessions: {} } as unknown as Pick<Store, "audit" | "acctSessions">;
  const onFault = (error: unknown) => {
    throw error;
  };
  const exchanges = new ExchangeAudit(
    { clock, events: new EventFeed(onFault), store, closed: () => undefined, onFault },
    audited,
  );
  exchanges.start();
  const end = (trigger: string) =>
    exchanges.ended({
      exchangeId: `by-${trigger}`,
      atMs: 0,
      durationMs: 0,
      request: { code: CODE.disconnectRequest, target: {}, attributes: [], trigger },
      outcome: "refused",
    });
  return { exchanges, end, clock, writes, ids: () => writes.map((entries) => entries.map((each) => each.exchangeId)) };
}

describe("ExchangeAudit", () => {
  it.each([
    ["asked", ["by-http", "by-quota"]],
    ["all", ["by-http", "by-udp", "by-radsec", "by-quota"]],
    ["off", []],
  ] as const)("audit: %s keeps %j", async (audited, kept) => {
    const { exchanges, end, ids } = start(audited);
    for (const trigger of ["http", "udp", "radsec", "quota"]) end(trigger);
    await exchanges.stop();
    expect(ids().flat()).toEqual(kept);
  });

  it("gathers what ends within 100 ms into one write", async () => {
    const { exchanges, end, clock, ids } = start("asked");
    end("http");
    clock.advance(99);
    end("quota");
    await setImmediate();
    expect([exchanges.counts.waiting, ids()]).toEqual([2, []]);
    clock.advance(1);
    await exchanges.stop();
    expect(ids()).toEqual([["by-http", "by-quota"]]);
  });

  it("follows a new configuration", async () => {
    const { exchanges, end, ids } = start("off");
    end("http");
    exchanges.apply("asked");
    end("quota");
    await exchanges.stop();
    expect(ids()).toEqual([["by-quota"]]);
  });
});
