import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { Program, runToEnd } from "../support/program.ts";
import { radclient } from "../support/radclient.ts";

const ROOT = packageFolder();
const DEMO = [join(ROOT, "bin/node24.cjs"), join(ROOT, "examples/rest-backend/demo.ts")];

describe("examples/rest-backend", () => {
  it("--once ends by itself, with code 0: let in, turned away, and let in from what was known before", async () => {
    const { code, output } = await runToEnd(process.execPath, [...DEMO, "--once"]);
    expect(code, output).toBe(0);
    expect(output.match(/Access-Accept, Mikrotik-Rate-Limit = 2M\/10M, Session-Timeout = 3600/g)?.length).toBe(2);
    expect(output).toMatch(/Access-Reject, Reply-Message = Your time is used up/);
    expect(output).toMatch(/is back[^]+Access-Accept, Mikrotik-Rate-Limit = 512k\/2M/);
  }, 60_000);

  it("stays up for the radclient line that it prints, and ends cleanly on SIGTERM", async () => {
    const demo = Program.start(process.execPath, DEMO, { cwd: ROOT });
    await demo.says(/Ctrl-C ends all of it/, 60_000);
    const [, attributes = "", where = "", secret = ""] =
      /echo '([^']+)' \| radclient -x (\S+) auth (\S+)/.exec(demo.output) ?? [];
    const { reply, output } = await radclient(where, "auth", secret, [attributes]);
    expect([reply, /Session-Timeout = (\d+)/.exec(output)?.[1]]).toEqual(["Access-Accept", "900"]);
    demo.signal("SIGTERM");
    expect(await demo.ended).toEqual({ code: 0, signal: null });
    expect(demo.output).toContain("everything is closed");
  }, 90_000);

  it("has a README that shows the answers of the back end as it gives them", async () => {
    const readme = await readFile(join(ROOT, "examples/rest-backend/README.md"), "utf8");
    const { output } = await runToEnd(process.execPath, [...DEMO, "--once"]);
    for (const [, status, body = ""] of readme.matchAll(/^\| (\d+) `(\{[^`]+\})` \|/gm)) {
      expect(output).toContain(`HTTP ${status} ${JSON.stringify(JSON.parse(body))}`);
    }
  }, 60_000);
});
