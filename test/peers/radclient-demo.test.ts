import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { needs } from "../support/freeradius.ts";
import { Program, runToEnd } from "../support/program.ts";
import { radclient } from "../support/radclient.ts";

const ROOT = packageFolder();
const DEMO = [join(ROOT, "bin/node24.cjs"), join(ROOT, "examples/udp-trigger/demo.ts")];

describe("examples/udp-trigger", () => {
  it("--once ends by itself, with code 0: an ACK of the router and a NAK of the hub", async () => {
    const { code, output } = await runToEnd(process.execPath, [...DEMO, "--once"]);
    expect(code, output).toBe(0);
    expect(output).toMatch(/router-1 +.*received Disconnect-Request over TLS, ok/);
    expect(output).toMatch(/aaa +.*Disconnect-ACK, authenticators ok/);
    expect(output).toMatch(/aaa +.*Disconnect-NAK, Error-Cause 403, authenticators ok/);
  }, 60_000);

  it("stays up for the radclient line that it prints, and ends cleanly on SIGTERM", async (context) => {
    needs(context, "radclient");
    const demo = Program.start(process.execPath, DEMO, { cwd: ROOT });
    await demo.says(/Ctrl-C ends all of it/, 60_000);
    const [, attributes = "", where = "", secret = ""] =
      /echo '([^']+)' \| radclient -x (\S+) disconnect (\S+)/.exec(demo.output) ?? [];
    expect((await radclient(where, "disconnect", secret, [attributes])).reply).toBe("Disconnect-ACK");
    expect((await radclient(where, "disconnect", secret, [attributes])).reply).toBe("Disconnect-NAK");
    demo.signal("SIGTERM");
    expect(await demo.ended).toEqual({ code: 0, signal: null });
    expect(demo.output).toContain("everything is closed");
  }, 90_000);
});
