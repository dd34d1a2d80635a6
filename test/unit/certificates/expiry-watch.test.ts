import { describe, expect, it } from "vitest";
import { EventFeed } from "../../../src/events.ts";
import { ExpiryWatch } from "../../../src/expiry-watch.ts";
import type { TlsMaterial } from "../../../src/tls-material.ts";
import { certificatePeer } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { makeTestPki } from "../../support/listener-fixture.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

function start(clock = new ManualClock()) {
  const events = new EventFeed((error) => {
    throw error;
  });
  const told: string[] = [];
  events.subscribe((event) => {
    if (event.type === "certificate.expiring") told.push(`${event.what}: ${event.daysLeft}`);
  });
  const watch = new ExpiryWatch({ clock, events });
  const admitted = (name: string, leftMs: number) => {
    const peer = certificatePeer({ san: { dns: [name] }, notAfterMs: clock.wallMs() + leftMs });
    watch.admitted({ peer, peerKey: name });
  };
  return { clock, told, watch, admitted };
}

describe("ExpiryWatch and routers", () => {
  it("tells of a certificate that ends within 30 days, once a day", () => {
    const { clock, told, admitted } = start();
    admitted("edge-1", 30 * DAY_MS + 1);
    expect(told).toEqual([]);
    admitted("edge-1", 30 * DAY_MS);
    admitted("edge-1", 30 * DAY_MS);
    clock.advance(DAY_MS - 1);
    admitted("edge-1", 29 * DAY_MS);
    expect(told).toEqual(["certificate of router edge-1: 30"]);
    clock.advance(1);
    admitted("edge-1", 5 * HOUR_MS);
    expect(told).toEqual(["certificate of router edge-1: 30", "certificate of router edge-1: 0"]);
  });

  it("invariant 9: tells of 100 in an hour at most, and of the others in the next", () => {
    const { clock, told, admitted } = start();
    for (let n = 0; n < 150; n++) admitted(`edge-${n}`, DAY_MS);
    expect(told).toHaveLength(100);
    clock.advance(HOUR_MS);
    for (let n = 0; n < 150; n++) admitted(`edge-${n}`, DAY_MS);
    expect(told).toHaveLength(150);
  });

  it("has nothing to say of a link without a certificate", () => {
    const { told, watch } = start();
    watch.admitted({ peer: { kind: "psk", identity: "shop-7" }, peerKey: "psk:shop-7" });
    expect(told).toEqual([]);
  });
});

describe("ExpiryWatch and what the hub stands on", () => {
  const list = async (lifeMs: number): Promise<ReadonlyMap<string, TlsMaterial>> => {
    const { ca, hub } = await makeTestPki();
    const crl = [await ca.revoke([], new Date(Date.now() + lifeMs))];
    return new Map([["main", { certificate: hub.certificate, key: hub.key, ca: [ca.certificate], crl }]]);
  };

  it.each([
    ["a list of a year, 31 days before its end", 365 * DAY_MS, 334 * DAY_MS, []],
    ["a list of a year, 30 days before its end", 365 * DAY_MS, 335 * DAY_MS, ["29"]],
    ["a list of a week in its first two thirds", 7 * DAY_MS, 3 * DAY_MS, []],
    ["a list of a week in its last third", 7 * DAY_MS, 5 * DAY_MS, ["1"]],
    ["a list that has ended", 7 * DAY_MS, 8 * DAY_MS, ["0"]],
  ])("tells of %s: %#", async (_, lifeMs, passedMs, daysLeft) => {
    const { told, watch } = start(new ManualClock(Date.now() + passedMs + 60_000));
    watch.look(await list(lifeMs));
    const ofLists = told.filter((each) => each.startsWith("revocation list of CN=Test CA for main: "));
    expect(ofLists.map((each) => each.split(": ")[1])).toEqual(daysLeft);
  });
});
