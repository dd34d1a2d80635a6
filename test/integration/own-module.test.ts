import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { CODE } from "../../src/radius/codes.ts";
import { ask, greeting, prepare, RADSEC_HUB, RELOADED, serve } from "../support/own-modules.ts";
import { runToEnd } from "../support/program.ts";

const ROOT = packageFolder();
const EXAMPLE = join(ROOT, "examples/own-module/opening-hours.ts");

const GREETING = "  sections: { authorize: [greeting], postauth: [] }";

describe("an operator's own module", () => {
  it("is one file, takes part in the pipeline, and a reload takes its new text into use", async () => {
    const { folder, file, own } = await prepare(GREETING);
    await writeFile(join(own, "greeting.ts"), greeting("one"));
    const { hub, port } = await serve(folder, file);
    expect(await ask(port)).toEqual({ code: 2, message: "one" });
    await writeFile(join(own, "greeting.ts"), greeting("two"));
    hub.signal("SIGHUP");
    await hub.says(RELOADED);
    expect(await ask(port)).toEqual({ code: 2, message: "two" });
  }, 90_000);

  it("that is broken keeps the old one in use, and its mistake is named with file and line", async () => {
    const { folder, file, own } = await prepare(GREETING);
    await writeFile(join(own, "greeting.ts"), greeting("one"));
    const { hub, port } = await serve(folder, file);
    await writeFile(join(own, "greeting.ts"), greeting("two").replace("settings:", "settings: ["));
    hub.signal("SIGHUP");
    await hub.says(/the one in force stays/);
    expect(hub.output).toMatch(/own\/greeting\.ts:\d+:1: /);
    expect(await ask(port)).toEqual({ code: 2, message: "one" });
  }, 90_000);

  it("that can not be made keeps the old set, and the instance is named with its line of hub.yaml", async () => {
    const { folder, file, own } = await prepare(`  instances:\n    - module: greeting\n${GREETING}`);
    await writeFile(join(own, "greeting.ts"), greeting("one"));
    const { hub, port } = await serve(folder, file);
    const broken = greeting("two").replace(
      "instantiate: () => ({",
      'instantiate: () => { throw new Error("no licence") }, x: () => ({',
    );
    await writeFile(join(own, "greeting.ts"), broken);
    hub.signal("SIGHUP");
    await hub.says(/the one in force stays/);
    expect(hub.output).toMatch(
      /hub\.yaml:10:\d+: modules\.instances\[0\]: instance greeting could not be made: no licence/,
    );
    expect(await ask(port)).toEqual({ code: 2, message: "one" });
  }, 90_000);
});

const check = (file: string) => runToEnd(process.execPath, [RADSEC_HUB, "check", "--config", file]);

describe("examples/own-module", () => {
  const SETTINGS = (settings: string) => `  instances:
    - module: opening-hours
      settings: ${settings}
  sections: { authorize: [users, opening-hours, pap] }`;

  it("is taken as it is, and its settings are checked with file and line", async () => {
    const good = await prepare(SETTINGS('{ from: "09:00", until: "18:30" }'));
    await cp(EXAMPLE, join(good.own, "opening-hours.ts"));
    expect(await check(good.file)).toMatchObject({ code: 0 });
    const bad = await prepare(SETTINGS('{ from: "9", until: "18:30", zone: x }'));
    await cp(EXAMPLE, join(bad.own, "opening-hours.ts"));
    const { code, output } = await check(bad.file);
    expect(code).toBe(1);
    expect(output).toMatch(/hub\.yaml:11:\d+: modules\.instances\[0\]\.settings\.from: must be a time/);
    expect(output).toMatch(/hub\.yaml:11:\d+: modules\.instances\[0\]\.settings\.zone: unknown key/);
  });

  it("tells who knows the password that it is closed, and nobody else", async () => {
    // From and until the same: never open.
    const { folder, file, own } = await prepare(SETTINGS('{ from: "09:00", until: "09:00" }'));
    await cp(EXAMPLE, join(own, "opening-hours.ts"));
    const { hub, port } = await serve(folder, file);
    const [, api] = /HTTP API on (http:[^"\s]+)/.exec(hub.output) ?? [];
    const put = await fetch(`${api}/v1/users/nemo`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-None-Match": "*" },
      body: JSON.stringify({ password: "20000 leagues" }),
    });
    expect(put.status).toBe(201);
    expect(await ask(port, "20000 leagues")).toEqual({ code: CODE.accessReject, message: "We are closed" });
    expect(await ask(port, "wrong")).toEqual({ code: CODE.accessReject, message: undefined });
  }, 90_000);

  it("has a README that shows the module's real settings", async () => {
    const readme = await readFile(join(ROOT, "examples/own-module/README.md"), "utf8");
    expect(readme).toContain('settings: { from: "09:00", until: "18:30", timeZone: Europe/Berlin }');
  });
});
