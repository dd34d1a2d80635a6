import { describe, expect, it, vi } from "vitest";
import { ATTRIBUTE, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { AccountingRouter, START, startHub } from "../support/accounting-router.ts";
import type { RunningHub } from "../support/running-hub.ts";

const TOKENS = `
http:
  address: 127.0.0.1
  port: 0
  tokens:
    - { name: noc, token: "0123456789abcdef-noc", role: operator }
    - { name: eyes, token: "0123456789abcdef-eyes", role: monitor }
accounting: {}
`;
const UNKNOWN = [integerAttribute(ATTRIBUTE.errorCause, 503)];
const MAC = textAttribute(ATTRIBUTE.callingStationId, "00-11-22-AA-BB-CC");

interface Body {
  readonly exchanges: readonly Readonly<Record<string, unknown>>[];
  readonly next_cursor: string | null;
}

async function call(running: RunningHub, path: string, method = "GET", token = "0123456789abcdef-eyes") {
  const response = await fetch(`${running.api}${path}`, { method, headers: { Authorization: `Bearer ${token}` } });
  return (await response.json()) as Body & Readonly<Record<string, unknown>>;
}

const ask = (running: RunningHub, path: string) => call(running, path, "POST", "0123456789abcdef-noc");

/** Exchanges once so many are stored: nobody waits for their being stored. */
async function stored(running: RunningHub, query: string, count: number): Promise<Body["exchanges"]> {
  return vi.waitFor(async () => {
    const { exchanges } = await call(running, `/v1/exchanges?${query}`);
    expect(exchanges).toHaveLength(count);
    return exchanges;
  });
}

describe("GET /v1/exchanges", () => {
  it("tells who asked for what of whom, and how it ended, newest first", async () => {
    const running = await startHub(TOKENS);
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1", [MAC]);
    const [, done] = await Promise.all([
      router.answerNext(true),
      ask(running, "/disconnect?calling_station_id=001122aabbcc"),
    ]);
    await ask(running, "/coa?nas_identifier=edge-9&username=bob");
    const [away, ack] = await stored(running, "", 2);
    expect(away).toMatchObject({ name: "CoA-Request", outcome: "no-route", username: "bob", reply: null, attempts: 0 });
    expect(away).toMatchObject({ why: "unknown", may_have_acted: false });
    expect(ack).toMatchObject({
      code: 40,
      name: "Disconnect-Request",
      trigger: "http",
      caller: "noc",
      request_id: done["request_id"],
      nas: "edge-1",
      // Asked for by MAC: the acct session says who it was.
      username: "alice",
      session_key: "edge-1/s1",
      outcome: "ack",
      why: null,
      may_have_acted: false,
      reply: { code: 41, name: "Disconnect-ACK" },
      error_cause: null,
      attempts: 1,
    });
    expect(await call(running, `/v1/exchanges/${String(ack?.["exchange_id"])}`)).toEqual(ack);
    expect(await call(running, "/v1/exchanges/none")).toMatchObject({ status: 404, code: "not-found" });
    for (const [query, count] of [
      ["username=alice", 1],
      ["nas=edge-1&outcome=ack", 1],
      ["outcome=nak", 0],
      ["ended_before=2020-01-01", 0],
      ["ended_from=2020-01-01", 2],
    ] as const) {
      expect((await call(running, `/v1/exchanges?${query}`)).exchanges, query).toHaveLength(count);
    }
    const first = await call(running, "/v1/exchanges?limit=1");
    expect(first.exchanges).toEqual([away]);
    const second = await call(running, `/v1/exchanges?limit=1&cursor=${first.next_cursor}`);
    expect([second.exchanges, second.next_cursor]).toEqual([[ack], null]);
  });

  it("tells a caller who hung up from a link that ended: closed, abandoned, and the NAS may have acted", async () => {
    const running = await startHub(TOKENS);
    const { nas } = await AccountingRouter.of(running, "edge-1");
    const request = nas.packet(nas.received.length);
    const leaving = new AbortController();
    const headers = { Authorization: "Bearer 0123456789abcdef-noc" };
    const options = { method: "POST", headers, signal: leaving.signal };
    const gone = fetch(`${running.api}/disconnect?nas_identifier=edge-1&username=alice`, options).catch(() => "gone");
    await request;
    leaving.abort();
    expect(await gone).toBe("gone");
    const [abandoned] = await stored(running, "", 1);
    expect(abandoned).toMatchObject({ outcome: "closed", why: "abandoned", may_have_acted: true, nas: "edge-1" });
  });

  it.each(["outcome=good", "cursor=%3F", "limit=0", "user=alice"])("refuses %s", async (query) => {
    const running = await startHub(TOKENS);
    expect(await call(running, `/v1/exchanges?${query}`)).toMatchObject({ status: 422, code: "bad-input" });
  });
});

describe("Error-Cause 503 (RFC 5176 Section 3.5)", () => {
  it.each(["username=alice", "session_id=s1&nas_identifier=edge-1"])(
    "closes the record of the acct session that the NAS does not know, asked for by %s",
    async (query) => {
      const running = await startHub(TOKENS);
      const router = await AccountingRouter.of(running, "edge-1");
      await router.account(START, "alice", "s1");
      await router.account(START, "bob", "s2");
      await Promise.all([router.answerNext(false, UNKNOWN), ask(running, `/disconnect?${query}`)]);
      await vi.waitFor(async () => {
        const { sessions } = (await call(running, "/v1/sessions?username=alice")) as unknown as { sessions: unknown[] };
        expect(sessions).toMatchObject([{ open: false, close_cause: "unknown-to-nas" }]);
      });
      expect(await call(running, "/v1/sessions?username=bob")).toMatchObject({ sessions: [{ open: true }] });
      expect(await ask(running, "/disconnect?username=alice")).toMatchObject({ code: "no-session" });
    },
  );

  it("closes nothing for another cause", async () => {
    const running = await startHub(TOKENS);
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1");
    const cause = [integerAttribute(ATTRIBUTE.errorCause, 506)];
    await Promise.all([router.answerNext(false, cause), ask(running, "/disconnect?username=alice")]);
    await stored(running, "outcome=nak", 1);
    expect(await call(running, "/v1/sessions?username=alice")).toMatchObject({ sessions: [{ open: true }] });
  });
});
