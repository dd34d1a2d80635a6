import { Registry } from "prom-client";
import { describe, expect, it } from "vitest";
import type { QuotaActed } from "../../../src/events.ts";
import { type BookFigures, BookMetrics } from "../../../src/http/book-metrics.ts";
import { storeError } from "../../../src/store/store-error.ts";

const FIGURES: BookFigures = {
  store: { up: true, queued: 1 },
  recordsWaiting: 2,
  quota: { waiting: 3, looking: 4, acting: 5, remembered: 6, dropped: 7, verdictsUnanswered: 8 },
  webhooks: { waiting: 9, dropped: 10, targets: [{ name: "billing", delivered: 11, failed: 12, inFlight: 13 }] },
  audit: { waiting: 14, dropped: 15 },
  bindingsWaiting: 16,
  sessionChecks: { fits: 19, unknown: 20, refused: 21, failed: 22 },
};

const ACTED: QuotaActed = {
  type: "quota.acted",
  atMs: 0,
  username: "nemo",
  rule: "fair-use",
  threshold: 80,
  periodKey: "total",
  action: "throttle",
  acctSessionKey: "edge-1/s1",
  nas: "edge-1",
  outcome: "nak",
  errorCause: 506,
  next: "again",
  attempts: 1,
  used: 1,
  amount: 1,
  overshoot: 0,
};

function outboxOf(counts: () => Promise<{ waiting: number; dead: number }>) {
  return { counts, dead: () => Promise.reject(new Error()), revive: () => Promise.resolve(false) };
}

async function samplesOf(registry: Registry): Promise<string[]> {
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map((line) => line.replace("radsec_hub_", ""));
}

describe("BookMetrics", () => {
  it("shows each figure as it is at the scrape, and names no user and no NAS", async () => {
    const registry = new Registry();
    let figures = { ...FIGURES, store: { up: false, queued: 0 } };
    const outbox = outboxOf(() => Promise.resolve({ waiting: 17, dead: 18 }));
    const metrics = new BookMetrics(registry, { books: () => figures, outbox });
    metrics.count(ACTED);
    metrics.count({ ...ACTED, type: "quota.reached", notify: true });
    await registry.metrics();
    figures = FIGURES;
    const samples = await samplesOf(registry);
    for (const sample of [
      "store_up 1",
      "store_calls_queued 1",
      "accounting_records_waiting 2",
      "quota_users_waiting 3",
      "quota_users_looked_at 4",
      "quota_actions_in_flight 5",
      "quota_users_remembered 6",
      'work_dropped_total{work="quota"} 7',
      "quota_verdicts_unanswered_total 8",
      "webhook_messages_waiting 9",
      'work_dropped_total{work="webhook"} 10',
      'webhook_deliveries_total{webhook="billing",result="delivered"} 11',
      'webhook_deliveries_total{webhook="billing",result="failed"} 12',
      'webhook_deliveries_in_flight{webhook="billing"} 13',
      "audit_exchanges_waiting 14",
      'work_dropped_total{work="audit"} 15',
      'session_checks_total{result="fits"} 19',
      'session_checks_total{result="unknown"} 20',
      'session_checks_total{result="refused"} 21',
      'session_checks_total{result="failed"} 22',
      'outbox_messages{state="waiting"} 17',
      'outbox_messages{state="dead"} 18',
      "quota_reached_total 1",
      'quota_actions_total{action="throttle",outcome="nak"} 1',
      'quota_actions_total{action="disconnect",outcome="ack"} 0',
    ]) {
      expect(samples).toContain(sample);
    }
    expect(samples.join()).not.toMatch(/nemo|edge-1/);
  });

  it("says nothing of the outbox while the store is down, and the other figures all the same", async () => {
    const registry = new Registry();
    const outbox = outboxOf(() => Promise.reject(storeError("down", "the store is not open")));
    new BookMetrics(registry, { books: () => FIGURES, outbox });
    const samples = await samplesOf(registry);
    expect(samples.filter((sample) => sample.startsWith("outbox_messages"))).toEqual([]);
    expect(samples).toContain("store_up 1");
  });
});
