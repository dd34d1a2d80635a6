import { describe, expect, it } from "vitest";
import { run } from "../../src/cli/run.ts";
import { startHub } from "../support/accounting-router.ts";
import { CapturedIo } from "../support/cli-io.ts";

async function terminal() {
  const { api } = await startHub("accounting: {}");
  const cli = async (argv: readonly string[], input?: string) => {
    const io = new CapturedIo("/");
    io.input = input;
    return { code: await run([...argv, "--url", api], io), out: io.out, err: io.err };
  };
  const user = async (name: string) => (await fetch(`${api}/v1/users/${name}`)).json() as Promise<object>;
  return { cli, user };
}

describe("radsec-hub users", () => {
  it("adds, lists, changes and deletes users, with passwords made or from standard input", async () => {
    const { cli, user } = await terminal();
    const made = await cli(["users", "add", "alice", "--until", "2030-01-01", "--note", "room 12"]);
    expect(made.code).toBe(0);
    expect(made.out).toMatch(/^password: [a-hjkmnp-z2-9]{16}\n$/);
    const given = await cli(["users", "add", "bob", "--password-stdin", "--kind", "clear-text"], "geheim\nmore\n");
    expect(given).toEqual({ code: 0, out: "", err: "" });
    expect(await user("bob")).toMatchObject({ password_kind: "clear-text" });

    const changed = await cli(["users", "set", "alice", "--disable", "--until", ""]);
    expect(changed.code).toBe(0);
    const now = { disabled: true, valid_until: null, note: "room 12", password_kind: "hashed" };
    expect(await user("alice")).toMatchObject(now);
    const anew = await cli(["users", "set", "bob", "--new-password", "--json"]);
    expect(JSON.parse(anew.out)).toMatchObject({ password_kind: "clear-text", password: expect.any(String) as string });

    const listed = await cli(["users", "list"]);
    expect(listed.out).toContain("alice");
    expect(listed.out).not.toContain("geheim");
    expect((await cli(["users", "delete", "alice"])).code).toBe(0);
    expect((await cli(["users", "list", "--json"])).out).not.toContain("alice");
  });

  it("say what is wrong, and take no password on the command line", async () => {
    const { cli } = await terminal();
    expect((await cli(["users", "add", "alice", "--password", "x"])).code).toBe(2);
    expect((await cli(["users", "add", "alice", "--password-stdin"])).err).toContain("standard input has no password");
    expect((await cli(["users", "add", "alice", "--plan", "gold"])).err).toContain("there is no such plan");
    expect((await cli(["users", "set", "nobody", "--enable"])).err).toContain("not-found");
    expect((await cli(["users", "set", "nobody", "--enable", "--disable"])).code).toBe(1);
    await cli(["users", "add", "alice"]);
    expect((await cli(["users", "add", "alice"])).err).toContain("exists");
  });
});
