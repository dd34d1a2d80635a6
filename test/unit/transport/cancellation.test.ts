import { describe, expect, it } from "vitest";
import { Cancellable, type Cancellation } from "../../../src/transport/cancellation.ts";

/** The two that the hub meets: its own, and that of an HTTP request. */
const KINDS: [string, () => { readonly signal: Cancellation; readonly cancel: () => void }][] = [
  [
    "Cancellable",
    () => {
      const cancellable = new Cancellable();
      return { signal: cancellable, cancel: () => cancellable.cancel() };
    },
  ],
  [
    "AbortSignal",
    () => {
      const controller = new AbortController();
      return { signal: controller.signal, cancel: () => controller.abort() };
    },
  ],
];

describe.each(KINDS)("%s", (_, make) => {
  it("tells each listener once", () => {
    const { signal, cancel } = make();
    const told: string[] = [];
    signal.addEventListener("abort", () => told.push("first"), { once: true });
    signal.addEventListener("abort", () => told.push("second"), { once: true });
    expect(signal.aborted).toBe(false);
    cancel();
    cancel();
    expect(told).toEqual(["first", "second"]);
    expect(signal.aborted).toBe(true);
  });

  it("tells nobody who has left, be it while others are told, and nobody who came too late", () => {
    const { signal, cancel } = make();
    const told: string[] = [];
    const gone = (): void => void told.push("gone");
    signal.addEventListener("abort", gone, { once: true });
    signal.addEventListener("abort", () => signal.removeEventListener("abort", leaving), { once: true });
    const leaving = (): void => void told.push("leaving");
    signal.addEventListener("abort", leaving, { once: true });
    signal.removeEventListener("abort", gone);
    cancel();
    signal.addEventListener("abort", () => told.push("late"), { once: true });
    cancel();
    expect(told).toEqual([]);
  });
});
