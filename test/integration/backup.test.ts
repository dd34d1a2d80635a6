import { readdir, stat, symlink, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { run } from "../../src/cli/run.ts";
import { AccountingRouter, START, startHub } from "../support/accounting-router.ts";
import { CapturedIo } from "../support/cli-io.ts";
import { openStore } from "../support/open-sqlite-store.ts";
import type { RunningHub } from "../support/running-hub.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ADMIN = "0123456789abcdef-admin";
const OPERATOR = "0123456789abcdef-operator";

/** A hub with one acct session, whose store and copies lie in a folder of their own. */
async function hubWithUser(): Promise<{ running: RunningHub; folder: string }> {
  const folder = await temporaryFolder();
  const running = await startHub(`
accounting: {}
store: ${JSON.stringify({ url: join(folder, "hub.db"), backups: join(folder, "copies") })}
http:
  address: 127.0.0.1
  port: 0
  tokens:
    - { name: noc, token: ${OPERATOR}, role: operator }
    - { name: root, token: ${ADMIN}, role: admin }
`);
  const router = await AccountingRouter.of(running, "edge-1");
  await router.account(START, "alice", "s1");
  return { running, folder };
}

async function ask(running: RunningHub, body: unknown, token = ADMIN) {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const response = await fetch(`${running.api}/v1/backup`, { method: "POST", headers, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> };
}

async function usersIn(file: string): Promise<(string | undefined)[]> {
  const store = await openStore(file);
  onTestFinished(() => store.stop());
  const { items } = await store.acctSessions.find({}, { limit: 10 });
  return items.map(({ username }) => username);
}

describe("POST /v1/backup", () => {
  it("copies the store of a running hub under a name, or under the time, for its owner's eyes only", async () => {
    const { running, folder } = await hubWithUser();
    const named = await ask(running, { name: "nightly.db" });
    const file = join(folder, "copies", "nightly.db");
    expect(named).toMatchObject({ status: 200, body: { file, octets: (await stat(file)).size } });
    expect((await stat(join(folder, "copies"))).mode & 0o777).toBe(0o700);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await usersIn(file)).toEqual(["alice"]);
    const { body } = await ask(running, {});
    expect(basename(String(body["file"]))).toMatch(/^hub-\d{8}T\d{6}Z\.db$/);
  });

  it("makes copies that are asked for at once one after the other", async () => {
    const { running, folder } = await hubWithUser();
    const answers = await Promise.all([1, 2, 3].map(() => ask(running, { name: "same.db" })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await readdir(join(folder, "copies"))).toEqual(["same.db"]);
    expect(await usersIn(join(folder, "copies", "same.db"))).toEqual(["alice"]);
  });

  it.each(["../hub.db", "a/b", ".hidden", "/etc/passwd", "", "a\u0000b", "..", "a".repeat(101)])(
    "takes no path: %j",
    async (name) => {
      const { running, folder } = await hubWithUser();
      expect((await ask(running, { name })).body).toMatchObject({ status: 422, code: "bad-input" });
      await expect(readdir(join(folder, "copies"))).rejects.toMatchObject({ code: "ENOENT" });
    },
  );

  it("is for admins", async () => {
    const { running } = await hubWithUser();
    expect((await ask(running, {}, OPERATOR)).body).toMatchObject({ status: 403, code: "forbidden" });
  });

  it("is a problem, and nothing more, where the folder can not be made", async () => {
    const { running, folder } = await hubWithUser();
    await writeFile(join(folder, "copies"), "in the way");
    expect((await ask(running, {})).body).toMatchObject({ status: 503, code: "store-down" });
  });
});

describe("radsec-hub backup", () => {
  async function io(folder: string): Promise<CapturedIo> {
    const text = `store: ${JSON.stringify(join(folder, "hub.db"))}\n`;
    await writeFile(join(folder, "hub.yaml"), text);
    return new CapturedIo(folder);
  }

  it("FILE copies the store whether the hub runs or not", async () => {
    const { running, folder } = await hubWithUser();
    const captured = await io(folder);
    expect(await run(["backup", "live.db", "--config", "hub.yaml"], captured)).toBe(0);
    await running.hub.stop();
    expect(await run(["backup", "cold.db", "--config", "hub.yaml", "--json"], captured)).toBe(0);
    expect(captured.err).toBe("");
    expect(captured.lines[0]).toBe(`${join(folder, "live.db")}: ${(await stat(join(folder, "live.db"))).size} octets`);
    expect(JSON.parse(captured.lines[1] ?? "")).toMatchObject({ file: join(folder, "cold.db") });
    expect([await usersIn(join(folder, "live.db")), await usersIn(join(folder, "cold.db"))]).toEqual([
      ["alice"],
      ["alice"],
    ]);
  });

  it("--url NAME has the hub there do it, and says why it can not", async () => {
    const { running, folder } = await hubWithUser();
    const captured = await io(folder);
    const there = ["--url", running.api, "--token", ADMIN];
    expect(await run(["backup", "asked.db", ...there], captured)).toBe(0);
    expect(captured.out).toContain(join(folder, "copies", "asked.db"));
    expect(await run(["backup", "../hub.db", ...there], captured)).toBe(1);
    expect(captured.err).toContain("bad-input: name:");
  });

  it.each(["hub.db", "./hub.db", "hub.db-wal", "link.db"])("never replaces the store itself: %s", async (name) => {
    const { running, folder } = await hubWithUser();
    await symlink(join(folder, "hub.db"), join(folder, "link.db"));
    const captured = await io(folder);
    expect(await run(["backup", name, "--config", "hub.yaml"], captured)).toBe(1);
    expect(captured.err).toContain("is the store itself");
    await running.hub.stop();
    expect(await usersIn(join(folder, "hub.db"))).toEqual(["alice"]);
  });

  it.each([
    ["store: 'mongodb://127.0.0.1/hub'", "mongodump"],
    ["store: nothing.db", "there is no store"],
    ["stor: hub.db", 'hub.yaml:1:1: stor: unknown key; did you mean "store"?'],
  ])("with %s it says why it can not", async (yaml, message) => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "hub.yaml"), yaml);
    const captured = new CapturedIo(folder);
    expect(await run(["backup", "copy.db", "--config", "hub.yaml"], captured)).toBe(1);
    expect(captured.err).toContain(message);
    expect(await readdir(folder)).toEqual(["hub.yaml"]);
  });
});
