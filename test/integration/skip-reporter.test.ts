import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { Program } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROOT = packageFolder();
const PASSES = 'it("works", () => undefined);\n';
const SKIPS = 'it("asks a peer", (context) => context.skip("peerd is not installed"));\n';

/** Runs vitest with the reporter of this project on one small file.
 *  @param words further words of the command line */
async function ran(tests: string, ci: string | undefined, words: readonly string[] = []) {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "test"));
  await writeFile(join(folder, "test/small.test.ts"), `import { it } from "vitest";\n${tests}`);
  const reporter = join(ROOT, "test/support/skip-reporter.ts");
  const config = { test: { include: ["test/*.test.ts"], reporters: [reporter] } };
  await writeFile(join(folder, "vitest.config.js"), `export default ${JSON.stringify(config)};\n`);
  const { CI: _, ...env } = process.env;
  const vitest = join(ROOT, "node_modules/vitest/vitest.mjs");
  const options = { cwd: folder, env: { ...env, ...(ci !== undefined && { CI: ci }) } };
  const program = Program.start(process.execPath, [vitest, "run", "--root", folder, ...words], options);
  return { ...(await program.ended), output: program.stdout };
}

describe("a test that is skipped", () => {
  it.each([undefined, "false"])("is counted aloud, with its reason, and is no failure with CI=%s", async (ci) => {
    const { code, output } = await ran(PASSES + SKIPS, ci);
    expect(code).toBe(0);
    expect(output).toContain("1 test was SKIPPED:\n  test/small.test.ts > asks a peer: peerd is not installed\n");
    expect(output).toMatch(/^1 passed, 0 failed, 1 skipped$/m);
  });

  it("is a failure with CI=true", async () => {
    const { code, output } = await ran(PASSES + SKIPS, "true");
    expect(code).toBe(1);
    expect(output).toContain("1 test was SKIPPED (a failure, because CI=true):");
  });

  it("is none where -t left it out", async () => {
    const { code, output } = await ran(PASSES + SKIPS, "true", ["-t", "works"]);
    expect([code, output.match(/^\d+ passed.*$/m)?.[0]]).toEqual([0, "1 passed, 0 failed, 0 skipped"]);
  });
});

it("a run in which nothing is skipped passes with CI=true, and a file that does not load is a failure", async () => {
  expect((await ran(PASSES, "true")).code).toBe(0);
  const broken = await ran('throw new Error("broken");\n', undefined);
  expect([broken.code, broken.output.match(/^\d+ passed.*$/m)?.[0]]).toEqual([1, "0 passed, 1 failed, 0 skipped"]);
});
