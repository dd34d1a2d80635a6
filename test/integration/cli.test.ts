import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { makeThrowAwayPki } from "../../pki/throw-away.ts";
import { packageFolder } from "../../src/cli/package-files.ts";
import { run } from "../../src/cli/run.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { CapturedIo } from "../support/cli-io.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { TinyHub } from "../support/tiny-hub.ts";

const COMMANDS = [
  "serve",
  "check",
  "pki init",
  "pki issue",
  "pki revoke",
  "nas-sim",
  "disconnect",
  "coa",
  "links",
  "backup",
];

async function captured() {
  return new CapturedIo(await temporaryFolder());
}

describe("radsec-hub", () => {
  it("--help lists every command and every exit code", async () => {
    const io = await captured();
    expect(await run(["--help"], io)).toBe(0);
    for (const command of COMMANDS) expect(io.out).toContain(`\n  ${command}`);
    for (const exitCode of [0, 1, 2, 3, 4, 5, 6, 7]) expect(io.out).toMatch(new RegExp(`^ {2}${exitCode} {2}\\w`, "m"));
  });

  it.each(COMMANDS)("%s --help has an example that the command line accepts", async (command) => {
    const io = await captured();
    expect(await run([...command.split(" "), "--help"], io)).toBe(0);
    const example = /Example:\n {2}radsec-hub (.*)\n/.exec(io.out)?.[1] ?? "";
    expect(example.startsWith(command)).toBe(true);
    // --help after it: every option and argument before it must be known.
    const words = example.match(/'[^']*'|\S+/g)?.map((word) => word.replaceAll("'", "")) ?? [];
    expect(await run([...words, "--help"], io)).toBe(0);
    expect(io.err).toBe("");
  });

  it.each([
    ["check", [0, 1, 2]],
    ["links", [0, 1, 2, 7]],
    ["coa", [0, 1, 2, 3, 4, 5, 6, 7]],
  ])("%s --help lists the exit codes that it has", async (command, exitCodes) => {
    const io = await captured();
    await run([command, "--help"], io);
    expect(Array.from(io.out.matchAll(/^ {2}(\d) /gm), ([, exitCode]) => Number(exitCode))).toEqual(exitCodes);
  });

  it("pki --help lists what there is under it", async () => {
    const io = await captured();
    expect(await run(["pki", "--help"], io)).toBe(0);
    expect(io.out).toContain("\n  pki issue NAME ");
    expect(io.out).not.toContain("\n  serve");
  });

  it.each([
    [["nonsense"], '"nonsense" is no command; radsec-hub --help lists the commands\n'],
    [["pki"], '"pki" is no command; write one of: pki init, pki issue, pki revoke\n'],
    [["links", "--bogus"], "Unknown option '--bogus'\nradsec-hub links --help shows what there is\n"],
    [["links", "extra"], 'unexpected argument "extra"\nradsec-hub links --help shows what there is\n'],
    [["pki", "issue"], "NAME is missing\nradsec-hub pki issue --help shows what there is\n"],
    [["links", "--url"], "Option '--url <value>' argument missing\nradsec-hub links --help shows what there is\n"],
  ])("%j is exit code 2 and says what is wrong", async (argv, message) => {
    const io = await captured();
    expect(await run(argv, io)).toBe(2);
    expect({ out: io.out, err: io.err }).toEqual({ out: "", err: message });
  });
});

describe("radsec-hub check and serve", () => {
  it("check prints every mistake with file:line and exits 1", async () => {
    const io = await captured();
    writeFileSync(join(io.cwd, "hub.yaml"), "radsec:\n  - name: a\n    prot: 2083\nhttp:\n  port: 99999\n");
    expect(await run(["check", "--config", "hub.yaml"], io)).toBe(1);
    expect(io.lines).toHaveLength(3);
    expect(io.lines[0]).toMatch(/^hub\.yaml:3:\d+: radsec\[0\]\.prot: /);
    expect(io.lines[1]).toMatch(/^hub\.yaml:5:\d+: http\.port: /);
    expect(io.lines[2]).toBe("hub.yaml: 2 mistakes");
  });

  it("check knows the attributes that select rules name", async () => {
    const io = await captured();
    writeFileSync(
      join(io.cwd, "hub.yaml"),
      'dynauth:\n  select:\n    - match: { nasIdentifier: "%{request.NAS-Identifyer}" }\n',
    );
    expect(await run(["check", "--config", "hub.yaml"], io)).toBe(1);
    expect(io.lines[0]).toMatch(/^hub\.yaml:3:\d+: .*NAS-Identifyer/);
  });

  it("check shows warnings and exits 0", async () => {
    const io = await captured();
    writeFileSync(join(io.cwd, "hub.yaml"), "radsec:\n  - name: a\n    secret: short\n");
    expect(await run(["check", "--config", "hub.yaml"], io)).toBe(0);
    expect(io.out).toMatch(/^hub\.yaml:3:\d+: radsec\[0\]\.secret: warning: /m);
    expect(io.lines.at(-1)).toMatch(/^hub\.yaml: can be used, \d warnings?$/);
    expect(await run(["check", "--config", "hub.yaml", "--json"], io)).toBe(0);
    expect(JSON.parse(io.lines.at(-1) as string)).toMatchObject({ ok: true, problems: [] });
  });

  it("take config/hub.yaml of the working directory first, else the one of the package", async () => {
    const io = await captured();
    expect(await run(["check"], io)).toBe(0);
    await run(["serve"], io);
    mkdirSync(join(io.cwd, "config"));
    writeFileSync(join(io.cwd, "config/hub.yaml"), "{}\n");
    await run(["serve", "--debug"], io);
    expect(io.served).toEqual([
      { configFile: join(packageFolder(), "config/hub.yaml"), debug: false },
      { configFile: join(io.cwd, "config/hub.yaml"), debug: true },
    ]);
  });

  it("a file that does not exist is one line and exit code 1", async () => {
    const io = await captured();
    expect(await run(["serve", "--config", "nowhere.yaml"], io)).toBe(1);
    expect(io.err).toBe("radsec-hub: nowhere.yaml does not exist\n");
  });
});

describe("radsec-hub pki", () => {
  it("init makes a PKI, issue a router's files; a name is issued twice only by --force", async () => {
    const io = await captured();
    expect(await run(["pki", "init", "--name", "hub.example.net"], io)).toBe(0);
    expect(io.out).toContain("var/pki/hub/certificate.pem");
    expect(await run(["pki", "issue", "shop-7", "--days", "30"], io)).toBe(0);
    expect(io.out).toContain("var/pki/nas/shop-7/key.pem");
    expect(await run(["pki", "issue", "shop-7"], io)).toBe(1);
    expect(io.err).toMatch(/^radsec-hub: .*issued before; --force issues it again\n$/m);
    expect(await run(["pki", "issue", "shop-7", "--force", "--json"], io)).toBe(0);
    expect(JSON.parse(io.lines.at(-1) as string)).toMatchObject({ key: join(io.cwd, "var/pki/nas/shop-7/key.pem") });
  });

  it.each(["0", "3651", "x"])("issue --days %s is exit code 1", async (days) => {
    const io = await captured();
    expect(await run(["pki", "issue", "shop-7", "--days", days], io)).toBe(1);
    expect(io.err.split("\n").at(-2)).toMatch(/^radsec-hub: --days must be/);
  });
});

describe("radsec-hub nas-sim", () => {
  const until = (condition: () => boolean) =>
    vi.waitFor(() => expect(condition()).toBe(true), { timeout: 10_000, interval: 5 });
  const disconnect = TinyHub.request(CODE.disconnectRequest, 1, [textAttribute(ATTRIBUTE.userName, "ali\u001bce")]);

  async function withHub() {
    const io = await captured();
    const pki = await makeThrowAwayPki();
    const hub = new TinyHub(pki);
    await hub.start();
    const nas = await pki.nas("shop");
    writeFileSync(join(io.cwd, "ca.pem"), pki.ca.certificatePem);
    writeFileSync(join(io.cwd, "nas.pem"), nas.certificatePem);
    writeFileSync(join(io.cwd, "nas.key"), nas.keyPem);
    const options = ["--hub", `127.0.0.1:${hub.port}`, "--ca", "ca.pem", "--cert", "nas.pem", "--key", "nas.key"];
    return { io, hub, options };
  }

  it("runs N routers, prints what happens to them, and ends cleanly on Ctrl-C", async () => {
    const { io, hub, options } = await withHub();
    const sessions = ["--acct-session", "user=ali\u001bce;id=a1"];
    const ended = run(["nas-sim", ...options, "--nas-id", "shop-%d", "--count", "2", "--links", "2", ...sessions], io);
    await until(() => io.lines.filter((line) => line.includes("Access-Accept to Status-Server")).length === 4);
    hub.link.send(disconnect);
    await until(() => io.out.includes("answered Disconnect-ACK 1"));
    expect(io.out).toMatch(/shop-\d link \d: received Disconnect-Request 1 \{ User-Name = ali\?ce \}/);
    expect(io.out).not.toContain("\u001b");
    io.interrupt();
    expect(await ended).toBe(0);
    expect({ waiting: io.waiting, err: io.err }).toEqual({ waiting: 0, err: "" });
    await hub.stop();
  });

  it("--answer and --json: a line of JSON for each event", async () => {
    const { io, hub, options } = await withHub();
    const ended = run(["nas-sim", ...options, "--answer", "nak:503", "--json"], io);
    await until(() => io.out.includes("status-answered"));
    hub.link.send(disconnect);
    await until(() => io.out.includes('"answered"'));
    io.interrupt();
    await ended;
    const events = io.lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.find(({ type }) => type === "received")).toMatchObject({
      code: 40,
      verdict: "ok",
      nasIdentifier: "nas-1",
    });
    expect(events.find(({ type }) => type === "answered")).toMatchObject({ code: 42, errorCause: 503 });
    await hub.stop();
  });

  it("issues itself a certificate from the development PKI, and keeps it", async () => {
    const io = await captured();
    const noHub = ["nas-sim", "--hub", "127.0.0.1:1", "--nas-id", "shop-7"];
    const runs: string[] = [];
    await run(["pki", "init"], io);
    for (let turn = 0; turn < 2; turn += 1) {
      io.err = "";
      io.out = "";
      const ended = run(noHub, io);
      await until(() => io.out.includes("not up: connect-failed (ECONNREFUSED)"));
      io.interrupt();
      expect(await ended).toBe(0);
      runs.push(io.err);
    }
    expect(runs).toEqual([expect.stringContaining("the development PKI issued"), ""]);
  });

  it.each([
    [["--hub", "nowhere"], "--hub must be written HOST:PORT"],
    [["--count", "2", "--nas-id", "shop"], "--nas-id needs a %d"],
    [["--ca", "ca.pem"], "--ca, --cert and --key go together"],
    [["--ca", "a", "--cert", "b", "--key", "c"], "cannot read a: it does not exist"],
    [[], "there is no development PKI in var/pki"],
    [["--acct-session", "alice"], "--acct-session must be written"],
  ])("%j is one line and exit code 1", async (argv, message) => {
    const io = await captured();
    expect(await run(["nas-sim", ...argv], io)).toBe(1);
    expect(io.err).toContain(message);
    expect(io.err.trimEnd().split("\n")).toHaveLength(1);
    expect(io.waiting).toBe(0);
  });
});
