import { setImmediate } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import type { Resolution, ResolvedTarget } from "../../../src/dynauth/resolver.ts";
import { SessionResolver } from "../../../src/dynauth/session-resolver.ts";
import { EventFeed } from "../../../src/events.ts";
import { ATTRIBUTE, attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { Registry } from "../../../src/registry/registry.ts";
import type { AcctSession } from "../../../src/store/acct-session.ts";
import { storeError } from "../../../src/store/store-error.ts";
import type { AcctSessionQuery, AcctSessionStore } from "../../../src/store/types.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const USER = textAttribute(ATTRIBUTE.userName, "nemo");
const BOB = textAttribute(ATTRIBUTE.userName, "bob");
const S1 = textAttribute(ATTRIBUTE.acctSessionId, "s1");
const M1 = textAttribute(ATTRIBUTE.acctMultiSessionId, "m1");
const TARGET: ResolvedTarget = { nas: "nas-1", peerKey: "peer", identify: (each) => each, pick: () => undefined };
const RESOLVED: Resolution = { kind: "targets", targets: [TARGET] };
const REFUSED = { kind: "no-route", why: "no-session", nas: "nas-1" };

/** One acct session of nemo at nas-1, open unless told otherwise. */
function recorded(changes: Partial<Omit<AcctSession, "facts">> & { readonly facts?: object } = {}): AcctSession {
  const { facts, ...rest } = changes;
  return {
    key: "nas-1/s1",
    acctSessionId: "s1",
    generation: 0,
    username: "nemo",
    usernames: 1,
    open: true,
    ...rest,
    facts: { nasIdentifier: "nas-1", nasAddress: "10.0.0.7", peerKey: "peer", ...facts },
  } as AcctSession;
}

const closed = (closeCause: AcctSession["closeCause"], changes: Parameters<typeof recorded>[0] = {}) =>
  recorded({ open: false, closeCause, ...changes });

interface Row {
  readonly request?: Partial<ExchangeRequest>;
  /** What each query finds, in their order; the last one for all that follow. */
  readonly found?: readonly (readonly AcctSession[])[];
  readonly find?: AcctSessionStore["find"];
  readonly resolution?: Resolution;
  /** What is found for the NAS after the comparison. */
  readonly later?: Resolution;
  readonly checkSessions?: boolean;
}

function rig({ found = [[recorded()]], find, resolution = RESOLVED, later = resolution, checkSessions = true }: Row) {
  const clock = new ManualClock();
  const registry = new Registry(
    { clock, events: new EventFeed(() => undefined) },
    { bindingLapseMs: 60_000, namesPerLinkMax: 10, bindingsMax: 10 },
  );
  registry.opened(new FakeLink({ linkId: "1", peerKey: "peer" }));
  registry.opened(new FakeLink({ linkId: "2", peerKey: "another" }));
  const asked: AcctSessionQuery[] = [];
  const acctSessions = {
    find: (query: AcctSessionQuery, page: { readonly limit: number }) => {
      asked.push(query);
      if (find !== undefined) return find(query, page);
      return Promise.resolve({ items: found[asked.length - 1] ?? found.at(-1) ?? [], next: undefined });
    },
    one: () => Promise.reject(new Error("no key was given")),
  };
  let resolved = 0;
  const named = { resolve: () => ((resolved += 1) === 1 ? resolution : later) };
  const deps = { clock, acctSessions, registry, named };
  const resolver = new SessionResolver(deps, { checkSessions });
  const resolve = (request: Partial<ExchangeRequest> = {}) =>
    resolver.resolve({
      code: CODE.disconnectRequest,
      target: { nasIdentifier: "nas-1" },
      attributes: [USER, S1],
      proxied: true,
      trigger: "udp",
      ...request,
    });
  return { asked, clock, resolve, resolver };
}

async function ended(row: Row) {
  const { asked, resolve, resolver } = rig(row);
  const resolution = await resolve(row.request);
  const counted = Object.entries(resolver.checks).flatMap(([result, count]) => (count > 0 ? [result] : []));
  return { resolution, asked, counted };
}

describe("what a DAC asks of a NAS that it names, beside the acct sessions on record", () => {
  const passes: readonly (Row & { readonly name: string; readonly result: string })[] = [
    { name: "it fits", result: "fits" },
    {
      name: "it fits one of several with that id",
      result: "fits",
      found: [[recorded({ key: "nas-1/x", username: "bob" }), recorded()]],
    },
    { name: "nothing is on record", result: "unknown", found: [[]] },
    {
      name: "it is on record of another peer",
      result: "unknown",
      found: [[closed("stop", { facts: { peerKey: "another" } })]],
    },
    {
      name: "it is on record of a peer that is gone",
      result: "unknown",
      found: [[closed("stop", { facts: { peerKey: "x" } })]],
    },
    ...(["stale", "nas-gone", "unknown-to-nas", "operator"] as const).map((cause) => ({
      name: `the hub closed it by itself: ${cause}`,
      result: "unknown",
      found: [[closed(cause, { username: "bob" })]],
    })),
    {
      name: "the hub closed it by itself, and the NAS the one before it with the same id",
      result: "unknown",
      found: [[closed("stale", { key: "nas-1/s1#1", generation: 1 }), closed("stop")]],
    },
    {
      name: "the one before it with the same id was another's",
      result: "fits",
      found: [[recorded({ key: "nas-1/s1#1", generation: 1 }), closed("stop", { username: "bob" })]],
    },
  ];
  it.each(passes)("DP-30 goes to the NAS where $name", async (row) => {
    const { resolution, counted } = await ended(row);
    expect(resolution).toBe(RESOLVED);
    expect(counted).toEqual([row.result]);
  });

  const refusals: readonly (Row & { readonly name: string })[] = [
    { name: "the user is another", request: { attributes: [BOB, S1] } },
    { name: "the user is another, in a CoA", request: { code: CODE.coaRequest, attributes: [BOB, S1] } },
    {
      name: "the network is another",
      request: { attributes: [S1, textAttribute(ATTRIBUTE.operatorName, "1b")] },
      found: [[recorded({ facts: { operatorName: "1a" } })]],
    },
    ...(["stop", "nas-on", "nas-off"] as const).map((cause) => ({
      name: `the NAS has ended it: ${cause}`,
      found: [[closed(cause)]],
    })),
    {
      name: "what would fit is older than what has the id now, be it open or not",
      found: [[recorded({ key: "nas-1/s1#1", generation: 1, username: "bob" }), recorded()]],
    },
    {
      name: "what would fit is older than what has the id now, and given up",
      found: [[recorded({ key: "nas-1/s1#1", generation: 1, username: "bob" }), closed("stale")]],
    },
    {
      name: "none of several fits",
      found: [[recorded({ username: "bob" }), closed("stop", { key: "nas-1/s2" })]],
      request: { attributes: [USER, M1] },
    },
    { name: "its NAS is named by address", request: { attributes: [BOB, S1], target: { nasAddress: "10.0.0.7" } } },
    {
      name: "its accounting had only the address of the NAS",
      request: { attributes: [BOB, S1], target: { nasIdentifier: "nas-1", nasAddress: "10.0.0.7" } },
      found: [[], [recorded()]],
    },
  ];
  it.each(refusals)("DP-30 is NAK 503 where $name", async (row) => {
    const { resolution, counted } = await ended(row);
    expect(resolution).toEqual(REFUSED);
    expect(counted).toEqual(["refused"]);
  });

  it("DP-30 asks for the acct session by its id at that NAS; Acct-Multi-Session-Id counts where it stands alone", async () => {
    const target = { nasIdentifier: "Z\u00c3\u00bcrich", nasAddress: "10.0.0.7" };
    const both = await ended({ request: { target, attributes: [USER, M1, S1] }, found: [[]] });
    expect(both.asked).toEqual([
      { acctSessionId: "s1", nasIdentifier: "Zürich" },
      { acctSessionId: "s1", nasAddress: "10.0.0.7" },
    ]);
    const multi = await ended({ request: { target: { nasAddress: "10.0.0.7" }, attributes: [USER, M1] }, found: [[]] });
    expect(multi.asked).toEqual([{ multiSessionId: "m1", nasAddress: "10.0.0.7" }]);
    const binary = attribute(ATTRIBUTE.acctSessionId, Buffer.of(1, 2));
    const odd = await ended({ request: { attributes: [binary] }, found: [[]] });
    expect(odd.asked).toEqual([{ acctSessionId: "0x0102", nasIdentifier: "nas-1" }]);
  });

  const unasked: readonly (Row & { readonly name: string })[] = [
    { name: "what the hub asks itself", request: { proxied: false } },
    { name: "another code", request: { code: CODE.accessRequest } },
    { name: "what names no acct session", request: { attributes: [BOB] } },
    { name: "what names its NAS by a link alone", request: { target: { linkId: "1" } } },
    { name: "what has no way", resolution: { kind: "no-route", why: "offline", nas: "nas-1" } },
  ];
  it.each(unasked)("DP-30 does not ask the store about $name", async (row) => {
    const { asked, counted, resolution } = await ended({ ...row, found: [[closed("stop")]] });
    expect([asked, counted]).toEqual([[], []]);
    expect(resolution).toBe(row.resolution ?? RESOLVED);
  });

  it("a NAS that reconnects while the store is asked gets the request on its new link", async () => {
    const later: Resolution = { kind: "targets", targets: [{ ...TARGET, nas: "nas-1 again" }] };
    expect((await ended({ later })).resolution).toBe(later);
  });

  it("DP-30 questions that a store leaves unanswered are bounded: beyond, the request goes on at once", async () => {
    const { resolve, resolver, asked } = rig({ find: () => new Promise(() => undefined) });
    for (let count = 0; count < 1_024; count += 1) void resolve();
    await setImmediate();
    expect(await resolve()).toBe(RESOLVED);
    expect([asked.length, resolver.checks.failed]).toEqual([1_024, 1]);
  });

  it("DP-30 a store that is down keeps nobody connected", async () => {
    const down = await ended({ find: () => Promise.reject(storeError("down", "the store is not open")) });
    expect([down.resolution, down.counted]).toEqual([RESOLVED, ["failed"]]);
  });

  it("DP-30 nor does a slow one, whatever it says later", async () => {
    type Found = Awaited<ReturnType<AcctSessionStore["find"]>>;
    let answer: ((found: Found) => void) | undefined;
    const find = () => new Promise<Found>((resolve) => (answer = resolve));
    const { clock, resolve, resolver } = rig({ find });
    const resolution = resolve();
    await setImmediate();
    clock.advance(999);
    await setImmediate();
    expect(resolver.checks.failed).toBe(0);
    clock.advance(1);
    expect(await resolution).toBe(RESOLVED);
    answer?.({ items: [closed("stop")], next: undefined });
    await Promise.resolve();
    expect(resolver.checks).toEqual({ fits: 0, unknown: 0, refused: 0, failed: 1 });
  });

  it("DP-30 unless told so nothing is asked, and the answer is there at once; a reload changes it", async () => {
    const { asked, resolve, resolver } = rig({ checkSessions: false, found: [[closed("stop")]] });
    expect(resolve()).toBe(RESOLVED);
    resolver.apply({ checkSessions: true });
    expect(await resolve()).toEqual(REFUSED);
    resolver.apply({ checkSessions: false });
    expect(resolve()).toBe(RESOLVED);
    expect(asked).toHaveLength(1);
  });
});
