import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { type Logger, openLog } from "../../src/log.ts";
import { octetText, textOctets } from "../../src/store/octet-text.ts";
import { startHub } from "../support/accounting-router.ts";

const YAML = `
accounting: {}
quota:
  rules: [{ name: fair-use, match: { plans: [by-plan] }, amount: 1GB, period: total, thresholds: [{ percent: 100, action: disconnect }] }]
`;
const PASSWORD = "correct horse";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

async function api(log?: Logger) {
  const { api: base, events } = await startHub(YAML, log);
  const call = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const isText = typeof body === "string";
    const response = await fetch(base + path, {
      method,
      headers: { ...(body === undefined || isText ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson =
      response.headers.get("content-type")?.split("/")[1]?.replace("problem+", "") === "json" && text !== "";
    const json = isJson ? (JSON.parse(text) as Record<string, unknown>) : {};
    const answer: Answer = { status: response.status, headers: response.headers, text, json };
    return answer;
  };
  return { call, events };
}

describe("/v1/plans and /v1/users", () => {
  it("create, show, replace, list and delete, and never show a password", async () => {
    const { call, events } = await api();
    const plan = { rate_down: "10M", rate_up: "2M", session_timeout: 3600, interim_interval: 120, quota: ["fair-use"] };
    const created = await call("PUT", "/v1/plans/gold", plan);
    expect(created).toMatchObject({ status: 201, json: { name: "gold", rate_down: 10_000_000, quota: ["fair-use"] } });
    expect(created.json["warnings"]).toEqual([expect.stringContaining("below the 600 seconds")]);

    const user = { password: PASSWORD, plan: "gold", valid_until: "2030-01-01", note: "room 12" };
    const alice = await call("PUT", "/v1/users/alice%40example.org", user);
    expect(alice.status).toBe(201);
    expect(alice.headers.get("location")).toBe("/v1/users/alice%40example.org");
    const shown = await call("GET", "/v1/users/alice%40example.org");
    expect(shown.json).toEqual({
      username: "alice@example.org",
      password_kind: "hashed",
      valid_from: null,
      valid_until: "2030-01-01T00:00:00.000Z",
      disabled: false,
      status: "valid",
      plan: "gold",
      overrides: {},
      note: "room 12",
      changed_at: expect.any(String) as string,
    });
    expect(shown.headers.get("etag")).toBe(alice.headers.get("etag"));
    const etag = shown.headers.get("etag") ?? "";
    const known = await call("GET", "/v1/users/alice%40example.org", undefined, { "if-none-match": etag });
    expect(known).toMatchObject({ status: 304, text: "" });

    const replaced = await call("PUT", "/v1/users/alice%40example.org", { disabled: true }, { "if-match": etag });
    // Without a password it keeps its own.
    expect(replaced).toMatchObject({
      status: 200,
      json: { disabled: true, status: "disabled", password_kind: "hashed" },
    });
    await call("POST", "/v1/users", { username: "bob", password: "b", password_kind: "clear-text" });
    const listed = await call("GET", "/v1/users?limit=1");
    expect(listed.json).toMatchObject({ users: [{ username: "alice@example.org" }] });
    const rest = await call("GET", `/v1/users?limit=1&cursor=${String(listed.json["next_cursor"])}`);
    expect(rest.json).toMatchObject({ users: [{ username: "bob", password_kind: "clear-text" }], next_cursor: null });
    const deleted = await call("DELETE", "/v1/users/bob", undefined, { "if-match": "*" });
    expect(deleted.status).toBe(204);
    expect((await call("GET", "/v1/users/bob")).json).toMatchObject({ code: "not-found" });
    expect(JSON.stringify([shown.text, listed.text, rest.text, events])).not.toContain(PASSWORD);
  });

  it("invariant 10: leave no password in the log, whatever becomes of the request", async () => {
    const file = join(await mkdtemp(join(tmpdir(), "radsec-hub-log-")), "hub.log");
    const log = openLog({ level: "trace", format: "json", file });
    const { call } = await api(log);
    const bodies = [{ password: PASSWORD }, { password: PASSWORD, plan: "none" }, { password: [PASSWORD] }];
    for (const body of bodies) await call("PUT", "/v1/users/alice", body, { "if-match": "*" });
    await call("POST", "/v1/users", { username: "bob", password: PASSWORD, password_kind: "clear-text" });
    const csv = { "content-type": "text/csv" };
    await call("POST", "/v1/users", `username,password\ncarol,${PASSWORD}\n`, csv);
    await call("POST", "/v1/users", `username,password\ndave,"${PASSWORD}\nerin,"x${PASSWORD}\n`, csv);
    await call("POST", "/v1/users", `{"username":"frank","password":"${PASSWORD}"`, {
      "content-type": "application/x-ndjson",
    });
    log.flush();
    const text = await readFile(file, "utf8");
    expect(text).toContain("POST /v1/users: 422 bad-input");
    expect(text).not.toContain(PASSWORD);
    await rm(dirname(file), { recursive: true });
  });

  it("refuse what can not be meant, with every mistake", async () => {
    const { call } = await api();
    const plan = await call("PUT", "/v1/plans/gold", {
      rate_down: "fast",
      interim_interval: 59,
      quota: ["fairuse"],
      rte_up: 1,
    });
    expect(plan.status).toBe(422);
    const details = (plan.json["errors"] as { field: string; detail: string }[]).map(
      ({ field, detail }) => `${field}: ${detail}`,
    );
    expect(details.toSorted()).toEqual([
      "interim_interval: must be 60 seconds or more (RFC 2869 Section 5.16)",
      'rate_down: must be bits per second, or text such as "10M" or "512k"',
      "rte_up: unknown field, did you mean rate_up?",
    ]);
    const rule = await call("PUT", "/v1/plans/gold", { quota: ["fairuse"] });
    expect(rule.text).toContain("no rule of hub.yaml, did you mean fair-use?");
    for (const [body, said] of [
      [{ plan: "gold" }, "there is no such plan"],
      [{ valid_from: "2030-01-01", valid_until: "2029-01-01" }, "must be after valid_from"],
      [{ password: "x".repeat(129) }, "128 octets"],
      [{ password_hash: "$2b$10$abcdefghijklmnopqrstuv" }, "must be argon2id or scrypt"],
      [{ username: "carol" }, "is not the one in the path"],
    ] as const) {
      const refused = await call("PUT", "/v1/users/bob", body);
      expect(refused.status).toBe(422);
      expect(refused.text).toContain(said);
    }
    expect((await call("GET", "/v1/users")).json).toMatchObject({ users: [] });
  });

  it("change only the state that the caller has seen: 428 without If-Match, 412 with an old one", async () => {
    const { call } = await api();
    const first = await call("PUT", "/v1/plans/gold", { rate_up: 1_000 });
    expect((await call("PUT", "/v1/plans/gold", { rate_up: 2_000 })).json).toMatchObject({
      code: "precondition-required",
    });
    expect((await call("DELETE", "/v1/plans/gold")).status).toBe(428);
    const etag = first.headers.get("etag") ?? "";
    expect((await call("PUT", "/v1/plans/gold", { rate_up: 2_000 }, { "if-match": etag })).status).toBe(200);
    const late = await call("PUT", "/v1/plans/gold", { rate_up: 3_000 }, { "if-match": etag });
    expect(late).toMatchObject({ status: 412, json: { code: "precondition-failed" } });
    expect((await call("DELETE", "/v1/plans/gold", undefined, { "if-match": etag })).status).toBe(412);
    expect((await call("PUT", "/v1/plans/gold", {}, { "if-none-match": "*" })).status).toBe(412);
    expect((await call("PUT", "/v1/plans/iron", {}, { "if-match": "*" })).status).toBe(412);
    expect((await call("PUT", "/v1/plans/gold", {}, { "if-match": "gold" })).status).toBe(400);
    expect((await call("POST", "/v1/plans", { name: "gold" })).json).toMatchObject({ code: "exists" });
    expect((await call("GET", "/v1/plans/gold")).json).toMatchObject({ rate_up: 2_000 });
  });

  it("of ten who change one state at the same time, one succeeds", async () => {
    const { call } = await api();
    const etag = (await call("PUT", "/v1/users/alice", { note: "0" })).headers.get("etag") ?? "";
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        call("PUT", "/v1/users/alice", { note: `n${index}` }, { "if-match": etag }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      200,
      ...Array<number>(9).fill(412),
    ]);
    const won = answers.find(({ status }) => status === 200);
    expect((await call("GET", "/v1/users/alice")).json).toMatchObject({ note: won?.json["note"] });
  });

  it("keep a plan that users have", async () => {
    const { call } = await api();
    await call("PUT", "/v1/plans/gold", {});
    await call("PUT", "/v1/users/alice", { plan: "gold" });
    const kept = await call("DELETE", "/v1/plans/gold", undefined, { "if-match": "*" });
    expect(kept).toMatchObject({ status: 409, json: { code: "in-use" } });
    await call("DELETE", "/v1/users/alice", undefined, { "if-match": "*" });
    expect((await call("DELETE", "/v1/plans/gold", undefined, { "if-match": "*" })).status).toBe(204);
  });
});

describe("import and export", () => {
  const CSV = { "content-type": "text/csv" };
  const NDJSON = { "content-type": "application/x-ndjson" };

  it("takes users and plans as CSV, and gives back what it takes", async () => {
    const { call } = await api();
    const plans = 'name,rate_down,rate_up,quota,note\r\ngold,10M,2M,fair-use,"fast, and\ndear"\r\niron,512k,,,\r\n';
    expect(await call("POST", "/v1/plans", plans, CSV)).toMatchObject({ status: 200, json: { imported: 2 } });
    const users =
      "\uFEFFusername,password,password_kind,plan,valid_until,rate_up,disabled\n" +
      "+491701234,geheim,clear-text,gold,2030-01-01,5M,false\n\n'quoted,,,iron,,,true\n";
    expect(await call("POST", "/v1/users", users, CSV)).toMatchObject({ status: 200, json: { imported: 2 } });
    const found = await call("GET", "/v1/users/%2B491701234");
    expect(found.json).toMatchObject({ plan: "gold", overrides: { rate_up: 5_000_000 }, password_kind: "clear-text" });

    const exported = await call("GET", "/v1/users?format=csv");
    expect(exported.headers.get("content-type")).toContain("text/csv");
    // What a spreadsheet would take for a formula is behind a ', and so is a name that begins with one.
    expect(exported.text).toContain("\r\n'+491701234,2030-01-01T00:00:00.000Z".replace(",2030", ",,2030"));
    expect(exported.text).not.toContain("geheim");
    const before = (await call("GET", "/v1/users?format=ndjson")).text;
    expect((await call("POST", "/v1/users", exported.text, CSV)).json).toEqual({ imported: 2 });
    expect((await call("GET", "/v1/users?format=ndjson")).text).toBe(before);
    expect((await call("GET", "/v1/users/%2B491701234")).json).toMatchObject({ password_kind: "clear-text" });

    const plansAgain = (await call("GET", "/v1/plans?format=csv")).text;
    expect((await call("POST", "/v1/plans", plansAgain, CSV)).json).toEqual({ imported: 2 });
    expect((await call("GET", "/v1/plans/gold")).json).toMatchObject({ note: "fast, and\ndear", quota: ["fair-use"] });
    const ofGold = await call("GET", "/v1/users?plan=gold");
    expect(ofGold.json["users"]).toHaveLength(1);
  });

  it("imports nothing of a CSV with bad lines and names every one of them", async () => {
    const { call } = await api();
    await call("PUT", "/v1/plans/gold", {});
    const lines = [
      "username,password,plan,valid_until,rate_down",
      "alice,secret-of-alice,gold,,",
      "bob,x,silver,,",
      "carol,x,gold,tomorrow,quick",
      "dave,x,gold",
      ",x,gold,,",
      "alice,x,gold,,",
      'erin,"two\nlines of secret',
    ];
    const refused = await call("POST", "/v1/users", lines.join("\n"), CSV);
    expect(refused).toMatchObject({ status: 422, json: { code: "bad-input" } });
    const errors = refused.json["errors"] as { line: number; field: string; detail: string }[];
    expect(errors.map(({ line, field }) => `${line} ${field}`).toSorted()).toEqual([
      "3 plan",
      "4 rate_down",
      "4 valid_until",
      "5 ",
      "6 username",
      "7 ",
      "8 ",
    ]);
    expect(refused.text).not.toMatch(/secret/);
    expect((await call("GET", "/v1/users")).json).toMatchObject({ users: [] });
  });

  it("names the lines of NDJSON too", async () => {
    const { call } = await api();
    const text = '{"username":"alice","note":"é"}\n\n{"username":\n[]\n{"username":"bob","pasword":"x"}\n';
    const refused = await call("POST", "/v1/users", text, NDJSON);
    const errors = refused.json["errors"] as { line: number; detail: string }[];
    expect(errors.map(({ line }) => line)).toEqual([3, 4, 5]);
    expect(errors[2]?.detail).toBe("unknown field, did you mean password?");
    expect(await call("POST", "/v1/users", '{"username":"alice","password":"p"}\n', NDJSON)).toMatchObject({
      json: { imported: 1 },
    });
  });

  it("gives back every name, note and group as it was, whatever characters are in it", async () => {
    const { call } = await api();
    const odd = [
      "'",
      "'=1",
      "=1",
      "+49",
      " blank ",
      "a,b",
      'say "x"',
      "two\r\nlines",
      "\n",
      "\uFEFFbom",
      "é𝒳",
      "-",
      "\t",
      "0",
    ];
    const text = fc.oneof(fc.constantFrom(...odd), fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }));
    const clean = text.map((each) => each.replaceAll("\0", "0"));
    // What User-Names are: octets that are no printable text are written as "0x…".
    const name = clean.map((each) => octetText(textOctets(each)));
    const [users = []] = fc.sample(
      fc.uniqueArray(fc.record({ username: name, note: clean, group: clean }), {
        selector: ({ username }) => username,
        minLength: 60,
        maxLength: 60,
      }),
      { numRuns: 1, seed: 7 },
    );
    const lines = users.map(({ username, note, group }) => JSON.stringify({ username, note, overrides: { group } }));
    expect((await call("POST", "/v1/users", `${lines.join("\n")}\n`, NDJSON)).json).toEqual({ imported: 60 });
    const told = async () => (await call("GET", "/v1/users?format=ndjson")).text;
    const before = await told();
    // What CSV says replaces the whole user; a name that came back another one would be one user more.
    const csv = (await call("GET", "/v1/users?format=csv")).text;
    expect((await call("POST", "/v1/users", csv, CSV)).json).toEqual({ imported: 60 });
    expect(await told()).toBe(before);
    expect((await call("POST", "/v1/users", before, NDJSON)).json).toEqual({ imported: 60 });
    expect(await told()).toBe(before);
  });

  it("tells of ten thousand mistakes one by one, and how many more there are", async () => {
    const { call } = await api();
    const refused = await call("POST", "/v1/users", `username,plan\n${"alice,none\n".repeat(6_000)}`, CSV);
    expect(refused.status).toBe(422);
    expect(refused.json["detail"]).toBe("6000 lines are not right; nothing was imported");
    expect(refused.json["errors"]).toHaveLength(10_000);
    expect(refused.json["errors_left_out"]).toBe(1_999);
    const long = await call("POST", "/v1/users", `{"username":"alice","note":"${"x".repeat(70_000)}"}\n`, NDJSON);
    expect(long.json["errors"]).toEqual([{ line: 1, field: "", detail: "longer than 65536 characters" }]);
  });

  it("keeps a password that somebody changes while the others of an import are hashed", async () => {
    const { call } = await api();
    await call("PUT", "/v1/users/alice", { password: "old", password_kind: "clear-text" });
    const hashed = Array.from({ length: 12 }, (_, index) => `bob-${index},secret\n`).join("");
    const importing = call("POST", "/v1/users", `username,password\nalice,\n${hashed}`, CSV);
    await vi.waitUntil(async () => {
      const text = (await call("GET", "/metrics")).text;
      return /^radsec_hub_passwords_hashing [1-9]/m.test(text);
    }, 10_000);
    const changed = { password: "new", password_kind: "nt-hash" };
    expect((await call("PUT", "/v1/users/alice", changed, { "if-match": "*" })).status).toBe(200);
    expect((await importing).json).toEqual({ imported: 13 });
    expect((await call("GET", "/v1/users/alice")).json).toMatchObject({ password_kind: "nt-hash" });
  });

  it("refuses a head that can not be meant, another character set and too large a body", async () => {
    const { call } = await api();
    const head = await call("POST", "/v1/users", "user,password\nalice,x\n", CSV);
    expect(head.json["errors"]).toMatchObject([
      { line: 1, field: "user" },
      { line: 1, field: "username" },
    ]);
    expect((await call("POST", "/v1/users", "", CSV)).status).toBe(422);
    const latin = await call("POST", "/v1/users", "username\nx\n", { "content-type": "text/csv; charset=latin1" });
    expect(latin.status).toBe(415);
    const large = await call("POST", "/v1/users", "x".repeat(16 * 1024 * 1024 + 1), CSV);
    expect(large.status).toBe(413);
  });
});
