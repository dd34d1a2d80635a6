import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { Program, runToEnd } from "../support/program.ts";

const ROOT = packageFolder();
const DEMO = [join(ROOT, "bin/node24.cjs"), join(ROOT, "examples/first-disconnect/demo.ts")];

describe("npm run demo", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "shows who connected and both ACKs, stays up, and ends cleanly on %s",
    async (signal) => {
      const demo = Program.start(process.execPath, DEMO, { cwd: ROOT });
      await demo.says(/Ctrl-C ends all of it/, 60_000);
      for (const router of ["router-1", "router-2"]) {
        expect(demo.output).toMatch(new RegExp(`link up: ${router} dialled in`));
        expect(demo.output).toMatch(new RegExp(`${router}\\S* +.*connected and registered`));
      }
      expect(demo.output).toMatch(/received Disconnect-Request, Identifier \d+, authenticators ok/);
      expect(demo.output).toMatch(/HTTP 200: ack, Disconnect-ACK after/);
      expect(demo.output).toMatch(/HTTP 200: ack, CoA-ACK after/);

      // The curl line that it prints works for as long as it stays up.
      const [, url = ""] = demo.output.match(/curl -X POST '([^']+)'/) ?? [];
      const statuses = [];
      for (let n = 0; n < 2; n += 1) statuses.push((await fetch(url, { method: "POST" })).status);
      expect(statuses).toEqual([200, 409]);

      const folder = demo.output.match(/development CA in (\S+)/)?.[1] ?? "";
      expect(existsSync(folder)).toBe(true);
      demo.signal(signal);
      expect(await demo.ended).toEqual({ code: 0, signal: null });
      expect(demo.output).toContain("everything is closed");
      expect(existsSync(folder)).toBe(false);
      await expect(fetch(url, { method: "POST" })).rejects.toThrow();
      expect(demo.stderr).toBe("");
    },
    90_000,
  );

  it("--once ends by itself, with code 0", async () => {
    const { code, output } = await runToEnd(process.execPath, [...DEMO, "--once"]);
    expect([code, output.match(/HTTP 200: ack/g)?.length]).toEqual([0, 2]);
  }, 60_000);
});

describe("examples/chained-hubs", () => {
  const CHAINED = [join(ROOT, "bin/node24.cjs"), join(ROOT, "examples/chained-hubs/demo.ts")];

  it("stays up after ACK, NAK and no-route, finds bob by name from above, and ends cleanly on SIGTERM", async () => {
    const demo = Program.start(process.execPath, CHAINED, { cwd: ROOT });
    await demo.says(/Ctrl-C ends all of it/, 60_000);
    expect(demo.output.match(/HTTP \d+: [a-z-]+/g)).toEqual(["HTTP 200: ack", "HTTP 409: nak", "HTTP 404: no-route"]);
    const [, url = ""] = demo.output.match(/curl -X POST '([^']+)'/) ?? [];
    expect((await fetch(url, { method: "POST" })).status).toBe(200);
    await demo.says(/bob is offline now/);
    demo.signal("SIGTERM");
    expect(await demo.ended).toEqual({ code: 0, signal: null });
    expect(demo.output).toContain("everything is closed");
  }, 90_000);

  it("--once ends by itself, with code 0", async () => {
    expect((await runToEnd(process.execPath, [...CHAINED, "--once"])).code).toBe(0);
  }, 60_000);
});
