import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, expect, it, type TestContext } from "vitest";
import { packageFolder, packageVersion } from "../../src/cli/package-files.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const BIN = join(packageFolder(), "bin");
const RADSEC_HUB = join(BIN, "radsec-hub.cjs");
const NODE24 = join(BIN, "node24.cjs");

/** A Node of the system that is older than the hub needs, and its version. */
const oldNode = [...(process.env["PATH"] ?? "").split(delimiter), "/usr/local/bin", "/usr/bin"]
  .map((folder) => join(folder, "node"))
  .filter((file) => existsSync(file))
  .map((file) => ({ file, version: execFileSync(file, ["--version"], { encoding: "utf8" }).trim() }))
  .find(({ version }) => Number(version.slice(1).split(".")[0]) < 24);

const hasBundledRuntime = existsSync(join(packageFolder(), "node_modules", `node-${process.platform}-${process.arch}`));

async function start(executable: string, argv: readonly string[], onOutput: (text: string) => void = () => {}) {
  const child = spawn(executable, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk: Buffer) => onOutput((out += chunk.toString())));
  child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  return { code, signal, out, err };
}

function needsOldNode(context: TestContext): { file: string; version: string } {
  if (oldNode === undefined) return context.skip("there is no Node older than 24 on this machine");
  if (!hasBundledRuntime) return context.skip("there is no bundled runtime for this platform");
  return oldNode;
}

describe("bin/radsec-hub.cjs", () => {
  it("--version and --help work, a mistake has its exit code", async () => {
    expect(await start(process.execPath, [RADSEC_HUB, "--version"])).toMatchObject({
      code: 0,
      out: `${packageVersion()}\n`,
    });
    expect(await start(process.execPath, [RADSEC_HUB, "links", "--bogus"])).toMatchObject({ code: 2, out: "" });
  });

  it("an old Node runs it through the bundled runtime", async (context) => {
    const { file } = needsOldNode(context);
    expect(await start(file, [RADSEC_HUB, "--version"])).toMatchObject({
      code: 0,
      out: `${packageVersion()}\n`,
      err: "",
    });
  });

  it("an old Node without a bundled runtime says what is needed, in one line", async (context) => {
    const { file, version } = needsOldNode(context);
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "bin"));
    for (const name of ["radsec-hub.cjs", "node24.cjs"]) copyFileSync(join(BIN, name), join(folder, "bin", name));
    const err = `radsec-hub needs Node 24 (24.12 or newer); this is ${version}\n`;
    expect(await start(file, [join(folder, "bin/radsec-hub.cjs")])).toEqual({ code: 1, signal: null, out: "", err });
  });

  it("a bundled runtime that is too old itself is not started", async (context) => {
    const { file, version } = needsOldNode(context);
    const folder = await temporaryFolder();
    const runtime = join(folder, "node_modules", `node-${process.platform}-${process.arch}`);
    mkdirSync(join(folder, "bin"));
    mkdirSync(join(runtime, "bin"), { recursive: true });
    writeFileSync(join(runtime, "package.json"), '{"version":"24.11.9"}');
    writeFileSync(join(runtime, "bin/node"), "#!/bin/sh\necho started\n", { mode: 0o755 });
    copyFileSync(NODE24, join(folder, "bin/node24.cjs"));
    expect(await start(file, [join(folder, "bin/node24.cjs"), "x.js"])).toMatchObject({
      code: 1,
      out: "",
      err: expect.stringContaining(version) as string,
    });
  });
});

describe("bin/node24.cjs", () => {
  async function script(source: string): Promise<string> {
    const file = join(await temporaryFolder(), "script.ts");
    writeFileSync(file, source);
    return file;
  }

  it("gives the script its own process.argv and mirrors its exit code", async (context) => {
    const { file } = needsOldNode(context);
    const show = await script(
      "const argv: string[] = process.argv.slice(1); console.log(JSON.stringify(argv)); process.exitCode = 5;",
    );
    for (const executable of [process.execPath, file]) {
      const ended = await start(executable, [NODE24, show, "a", "--b"]);
      expect(ended, executable).toMatchObject({ code: 5, err: "" });
      expect(JSON.parse(ended.out)).toEqual([show, "a", "--b"]);
    }
  });

  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("passes %s on, once", async (signal) => {
    const { file } = oldNode ?? { file: process.execPath };
    const wait = await script(`
      let count = 0;
      process.on("${signal}", () => { count += 1; setTimeout(() => { console.log("got", count); process.exit(9); }, 100); });
      setTimeout(() => {}, 20_000);
      console.log("pid", process.ppid, process.pid);`);
    let sent = false;
    const ended = await start(file, [NODE24, wait], (out) => {
      const [, parent, own] = /pid (\d+) (\d+)\n/.exec(out) ?? [];
      if (sent || parent === undefined) return;
      sent = true;
      // With an old Node the parent of the script is node24.cjs; otherwise it runs in the same process.
      process.kill(Number(oldNode === undefined ? own : parent), signal);
    });
    expect(ended).toMatchObject({ code: 9, out: expect.stringContaining("got 1") as string });
  });

  it("ends by the signal that ended the script", async (context) => {
    const { file } = needsOldNode(context);
    const die = await script('process.kill(process.pid, "SIGTERM"); setTimeout(() => {}, 20_000);');
    expect(await start(file, [NODE24, die])).toMatchObject({ code: null, signal: "SIGTERM" });
  });

  it("a script that does not exist is an error and exit code 1", async () => {
    const ended = await start(process.execPath, [NODE24, "/nowhere/script.ts"]);
    expect(ended.code).toBe(1);
    expect(ended.err).toContain("/nowhere/script.ts");
  });
});
