import { describe, expect, it } from "vitest";
import { ATTRIBUTE, attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { AccountingRouter, INTERIM, START, startHub } from "../support/accounting-router.ts";
import { RunningHub } from "../support/running-hub.ts";

const MAC = "00-11-22-AA-BB-CC";

const QUOTA = `
accounting: {}
quota:
  rules:
    - { name: fair-use, amount: 1GB, period: total, thresholds: [{ percent: 100, action: disconnect }] }
    - { name: hours, match: { users: [bob] }, counts: time, thresholds: [{ percent: 100 }] }
`;

async function call(url: string, init?: RequestInit) {
  const response = await fetch(url, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as never };
}

const post = (url: string) => call(url, { method: "POST" });
const mac = textAttribute(ATTRIBUTE.callingStationId, MAC);
const ip = attribute(ATTRIBUTE.framedIpAddress, Buffer.from([10, 0, 0, 7]));

describe("POST /disconnect without nas_identifier", () => {
  it.each([
    ["username=alice", undefined],
    ["session_id=s1", undefined],
    ["calling_station_id=0011.22aa.bbcc", MAC],
    ["framed_ip=10.0.0.7", undefined],
    ["username=alice&calling_station_id=00:11:22:aa:bb:cc&session_id=s1", MAC],
  ])("finds the router by %s and fills in what names the acct session there", async (query, callingStationId) => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1", [mac, ip]);
    const [seen, answer] = await Promise.all([router.answerNext(true), post(`${running.api}/disconnect?${query}`)]);
    expect(seen).toEqual({ username: "alice", sessionId: "s1", callingStationId, nasIdentifier: "edge-1" });
    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({
      outcomes: [{ status: 200, outcome: "ack", nas: "edge-1", session_key: "edge-1/s1" }],
    });
  });

  it.each([
    ["2001:db8:a::7", ATTRIBUTE.framedIpv6Address, "20010db8000a00000000000000000007", true],
    ["2001:db8:a::7", ATTRIBUTE.framedIpv6Prefix, "004020010db8000a0000", false],
    ["2001:db8:b:1ff::1", ATTRIBUTE.delegatedIpv6Prefix, "003820010db8000b0100", false],
  ])("finds %s by attribute %d, and names to the router what it knows alone", async (address, type, value, named) => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1", [attribute(type, Buffer.from(value, "hex"))]);
    await router.account(START, "bob", "s2", [ip]);
    const query = `framed_ip=${encodeURIComponent(address)}`;
    const [seen, answer] = await Promise.all([router.answerNext(true), post(`${running.api}/disconnect?${query}`)]);
    expect(seen).toMatchObject({ username: "alice", sessionId: "s1" });
    const sent = router.nas.received.at(-1)?.attributes.some((each) => each.type === ATTRIBUTE.framedIpv6Address);
    expect([answer.status, sent]).toEqual([200, named]);
    const { sessions } = (await call(`${running.api}/v1/sessions?${query}`)).json() as { sessions: unknown[] };
    expect(sessions).toMatchObject([{ username: "alice" }]);
  });

  it("a NAS that is named gets the request, whatever the index knows", async () => {
    const running = await startHub("accounting: {}");
    const [one, other] = [await AccountingRouter.of(running, "edge-1"), await AccountingRouter.of(running, "edge-2")];
    await one.account(START, "alice", "s1");
    const [seen, answer] = await Promise.all([
      other.answerNext(true),
      post(`${running.api}/disconnect?username=alice&nas_identifier=edge-2`),
    ]);
    expect(seen).toEqual({
      username: "alice",
      sessionId: undefined,
      callingStationId: undefined,
      nasIdentifier: "edge-2",
    });
    expect([answer.status, one.nas.received.some(({ code }) => code === CODE.disconnectRequest)]).toEqual([200, false]);
  });

  it("refuses what more than 1,000 acct sessions fit, and sends nothing", async () => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "anonymous", "s0");
    const { store } = running.hub;
    const [sample] = (await store?.acctSessions.find({}, { limit: 1 }))?.items ?? [];
    if (store === undefined || sample === undefined) throw new Error("nothing is stored");
    const { nasKey, startedAtMs: arrivedAtMs, facts } = sample;
    const common = { kind: "start" as const, nasKey, username: "anonymous", arrivedAtMs, staleAfterMs: 900_000, facts };
    const more = Array.from({ length: 1_000 }, (_, index) => ({ ...common, acctSessionId: `m${index}` }));
    await store.acctSessions.record(more);
    const answer = await post(`${running.api}/disconnect?username=anonymous`);
    expect(answer.json()).toMatchObject({ status: 422, code: "too-many-sessions", sessions_max: 1_000 });
    expect(router.nas.received.filter(({ code }) => code === CODE.disconnectRequest)).toEqual([]);
    const [, narrowed] = await Promise.all([
      router.answerNext(true),
      post(`${running.api}/disconnect?username=anonymous&session_id=m7`),
    ]);
    expect(narrowed.status).toBe(200);
  });

  it("answers 404 no-session when none is open, and does not take one for another", async () => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1", [mac]);
    for (const query of ["username=bob", "username=alice&session_id=s2", "calling_station_id=00-11-22-AA-BB-CD"]) {
      const answer = await post(`${running.api}/disconnect?${query}`);
      expect(answer.json(), query).toMatchObject({ status: 404, code: "no-session" });
    }
    expect(router.nas.received.filter(({ code }) => code === CODE.disconnectRequest)).toEqual([]);
  });

  it.each([
    [true, 200, { status: 200, outcome: "ack" }],
    [false, 207, { status: 409, code: "nak", outcome: "nak" }],
  ])("reaches a user on two routers; second one acks: %s, so %d", async (positive, status, second) => {
    const running = await startHub("accounting: {}");
    const [one, other] = [await AccountingRouter.of(running, "edge-1"), await AccountingRouter.of(running, "edge-2")];
    await one.account(START, "alice", "s1");
    await other.account(START, "alice", "s1");
    const [, , answer] = await Promise.all([
      one.answerNext(true),
      other.answerNext(positive),
      post(`${running.api}/disconnect?username=alice`),
    ]);
    expect(answer.status).toBe(status);
    const { outcomes } = answer.json() as { outcomes: { session_key: string }[] };
    const byKey = outcomes.toSorted((left, right) => (left.session_key < right.session_key ? -1 : 1));
    expect(byKey).toMatchObject([
      { session_key: "edge-1/s1", status: 200, outcome: "ack" },
      { session_key: "edge-2/s1", ...second },
    ]);
  });

  it("needs something that the index can find: 422 no-target for what it does not know", async () => {
    const running = await startHub("accounting: {}");
    for (const query of ["called_station_id=ap-1", "nas_port=7", "force=true"]) {
      expect((await post(`${running.api}/disconnect?${query}`)).json(), query).toMatchObject({ code: "no-target" });
    }
  });

  it("without accounting there is no index: 422 no-target, and no /v1/sessions", async () => {
    const running = await RunningHub.start();
    expect((await post(`${running.api}/disconnect?username=alice`)).json()).toMatchObject({ code: "no-target" });
    expect((await call(`${running.api}/v1/sessions`)).status).toBe(404);
  });
});

describe("GET /v1/sessions", () => {
  it("filters, pages by cursor, and shows one by its key, whatever stands in it", async () => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    const ids = ["a/1", "b#2", "c%2f|", "d e", "é"];
    for (const id of ids) await router.account(START, "alice", id, id === "d e" ? [mac] : []);
    const seen: { key: string; session_id: string }[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const page = await call(`${running.api}/v1/sessions?username=alice&limit=2${cursor && `&cursor=${cursor}`}`);
      const body = page.json() as { sessions: typeof seen; next_cursor: string | null };
      seen.push(...body.sessions);
      cursor = body.next_cursor;
    }
    expect(seen.map(({ session_id }) => session_id).toSorted()).toEqual(ids.toSorted());
    for (const each of seen) {
      const one = await call(`${running.api}/v1/sessions/${encodeURIComponent(each.key)}`);
      expect(one.json()).toMatchObject({ session_id: each.session_id, open: true, username: "alice" });
    }
    expect((await call(`${running.api}/v1/sessions/none`)).json()).toMatchObject({ code: "not-found" });
    const counts = [
      ["calling_station_id=001122aabbcc", 1],
      ["username=bob", 0],
      ["open=false", 0],
      ["nas_identifier=edge-1", 5],
      ["started_from=2020-01-01", 5],
      ["started_before=2020-01-01T00:00:00%2B01:00", 0],
    ] as const;
    for (const [query, count] of counts) {
      const { sessions } = (await call(`${running.api}/v1/sessions?${query}`)).json() as { sessions: unknown[] };
      expect(sessions, query).toHaveLength(count);
    }
  });

  it("DP-30 DP-21 shows and exports the Operator-Name of a record, and Operator-NAS-Identifier beside it alone (DP-20)", async () => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    const operator = textAttribute(ATTRIBUTE.operatorName, "1visited.example");
    const operatorNas = attribute(ATTRIBUTE.extended1, Buffer.from("080a1b2c", "hex"));
    await router.account(START, "alice", "s1", [operatorNas, operator]);
    await router.account(INTERIM, "alice", "s1");
    await router.account(START, "bob", "s2", [operatorNas]);
    const shown = async (user: string) =>
      (await call(`${running.api}/v1/sessions?username=${user}`)).json() as { sessions: Record<string, unknown>[] };
    expect(await shown("alice")).toMatchObject({
      sessions: [{ operator_name: "1visited.example", operator_nas_identifier: "0a1b2c" }],
    });
    expect(await shown("bob")).toMatchObject({ sessions: [{ operator_name: null, operator_nas_identifier: null }] });
    const [head = "", row = ""] = (await call(`${running.api}/v1/sessions?format=csv&username=alice`)).text.split(
      "\r\n",
    );
    expect(row.split(",")[head.split(",").indexOf("operator_name")]).toBe("1visited.example");
  });

  it.each([
    ["cursor=%3F", "cursor"],
    ["limit=0", "limit"],
    ["started_from=yesterday", "started_from"],
    ["started_from=2026-02-31T25:00Z", "started_from"],
    ["format=xml", "format"],
    ["format=csv&limit=2", "limit"],
    ["user=alice", "user"],
  ])("refuses %s", async (query, field) => {
    const running = await startHub("accounting: {}");
    const answer = await call(`${running.api}/v1/sessions?${query}`);
    expect(answer.json()).toMatchObject({ status: 422, code: "bad-input", errors: [{ field }] });
  });

  it("exports more than a page as CSV and NDJSON; CSV holds no formula", async () => {
    const running = await startHub("accounting: {}");
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "=1+cmd|'/c calc'!A0", "s0");
    await router.account(START, 'semi;"quoted", user', "s1");
    const { store } = running.hub;
    const [sample] = (await store?.acctSessions.find({}, { limit: 1 }))?.items ?? [];
    if (store === undefined || sample === undefined) throw new Error("nothing is stored");
    const many = Array.from({ length: 1_200 }, (_, index) => ({
      kind: "start" as const,
      nasKey: "edge-2",
      acctSessionId: `m${index}`,
      arrivedAtMs: sample.startedAtMs,
      staleAfterMs: 900_000,
      facts: {},
    }));
    await store.acctSessions.record(many.slice(0, 1_000));
    await store.acctSessions.record(many.slice(1_000));

    const csv = await call(`${running.api}/v1/sessions?format=csv`);
    expect(csv.headers.get("Content-Type")).toContain("text/csv");
    const lines = csv.text.split("\r\n");
    expect(lines).toHaveLength(1 + 1_202 + 1);
    expect(lines[0]).toMatch(/^key,session_id,generation,username,open,/);
    expect(csv.text).toContain(`,'=1+cmd|'/c calc'!A0,true,`);
    expect(csv.text).toContain(`,"semi;""quoted"", user",true,`);
    expect(csv.text).not.toMatch(/(?:^|,)"?[=+@-]/m);

    const ndjson = await call(`${running.api}/v1/sessions?open=true`, { headers: { Accept: "application/x-ndjson" } });
    expect(ndjson.headers.get("Content-Type")).toBe("application/x-ndjson");
    const rows = ndjson.text
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { key: string; username: string });
    expect(new Set(rows.map(({ key }) => key)).size).toBe(1_202);
    expect(rows.map(({ username }) => username)).toContain("=1+cmd|'/c calc'!A0");
    expect((await call(`${running.api}/v1/sessions?format=csv&username=nobody`)).text).toBe(`${lines[0]}\r\n`);
  });

  it("a store that is down is 503 store-down with Retry-After, for pages, exports and disconnects", async () => {
    const running = await startHub("accounting: {}");
    await running.hub.store?.stop();
    for (const query of ["v1/sessions", "v1/sessions?format=csv", "v1/sessions/a", "v1/users/alice/usage"]) {
      const answer = await call(`${running.api}/${query}`);
      expect(answer.json(), query).toMatchObject({ status: 503, code: "store-down" });
      expect(answer.headers.get("Retry-After")).toBe("5");
    }
    expect((await post(`${running.api}/disconnect?username=alice`)).json()).toMatchObject({ code: "store-down" });
  });
});

describe("/v1/users/{username}", () => {
  const INPUT_OCTETS = 42;
  const SESSION_TIME = 46;
  const used = (octets: number, seconds: number) => [
    integerAttribute(INPUT_OCTETS, octets),
    integerAttribute(SESSION_TIME, seconds),
  ];
  const put = (url: string, body: unknown) =>
    call(url, { method: "PUT", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

  it("shows usage and where it leaves the user; a smaller amount by PUT acts at once, DELETE takes it back", async () => {
    const running = await startHub(QUOTA);
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice@example.net", "s1");
    await router.account(INTERIM, "alice@example.net", "s1", used(400_000_000, 60));
    const user = `${running.api}/v1/users/alice%40example.net`;

    const usage = (await call(`${user}/usage`)).json() as { periods: unknown[] };
    expect(usage).toMatchObject({
      username: "alice@example.net",
      quota: [{ rule: "fair-use", used: 400_000_000, amount: 1_000_000_000, percent: 40, period_ends_at: null }],
    });
    expect(usage.periods).toContainEqual({
      period: "total",
      upload_octets: 400_000_000,
      download_octets: 0,
      seconds: 60,
    });

    expect((await call(`${user}/quota`)).json()).toMatchObject({ status: 404, code: "not-found" });
    const limits = [{ rule: "fair-use", amount: 300_000_000 }];
    const [disconnected, answer] = await Promise.all([
      router.answerNext(true),
      put(`${user}/quota`, { limits, note: "by hand" }),
    ]);
    expect(disconnected).toMatchObject({ username: "alice@example.net", sessionId: "s1" });
    expect(answer.json()).toMatchObject({ limits, note: "by hand", set_by: "loopback" });
    expect((await call(`${user}/quota`)).json()).toMatchObject({ limits });
    expect((await call(`${user}/usage`)).json()).toMatchObject({ quota: [{ amount: 300_000_000 }] });

    expect((await call(`${user}/quota`, { method: "DELETE" })).status).toBe(204);
    expect((await call(`${user}/quota`, { method: "DELETE" })).status).toBe(404);
    expect((await call(`${user}/usage`)).json()).toMatchObject({ quota: [{ amount: 1_000_000_000 }] });
  });

  it("PUT takes amounts as hub.yaml does: with their unit, or nothing for no limit", async () => {
    const running = await startHub(QUOTA);
    const limits = [
      { rule: "fair-use", amount: "1.5GiB" },
      { rule: "hours", amount: "30h" },
    ];
    expect((await put(`${running.api}/v1/users/bob/quota`, { limits })).json()).toMatchObject({
      limits: [{ amount: 1_610_612_736 }, { amount: 108_000 }],
    });
    const lifted = { limits: [{ rule: "hours", amount: null }] };
    expect((await put(`${running.api}/v1/users/bob/quota`, lifted)).json()).toMatchObject(lifted);
  });

  it.each([
    [{ limits: [{ rule: "fair-uze", amount: 1 }] }, "limits.0.rule"],
    [{ limits: [{ rule: "fair-use", amount: -1 }] }, "limits.0.amount"],
    [{ limits: [{ rule: "fair-use", amount: "50Gb" }] }, "limits.0.amount"],
    [{ limits: [{ rule: "fair-use", amount: "9999999GB" }] }, "limits.0.amount"],
    [{ limits: [{ rule: "fair-use", amount: "30h" }] }, "limits.0.amount"],
    [{ limits: [{ rule: "hours", amount: "50GB" }] }, "limits.0.amount"],
    [
      {
        limits: [
          { rule: "fair-use", amount: 1 },
          { rule: "fair-use", amount: 2 },
        ],
      },
      "limits.1.rule",
    ],
    [{}, "limits"],
  ])("PUT quota refuses %j", async (body, field) => {
    const running = await startHub(QUOTA);
    const answer = await put(`${running.api}/v1/users/alice/quota`, body);
    expect(answer.json()).toMatchObject({ status: 422, code: "bad-input", errors: [{ field }] });
  });
});
