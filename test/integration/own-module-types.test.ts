import { cp, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { runToEnd } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const ROOT = packageFolder();
const TSC = join(ROOT, "node_modules/typescript/bin/tsc");

/** Types of packages that have none; the built package needs them no more. */
const SHIMS = ["src/aaa/mschap/js-md4.d.ts", "src/radius/radius.d.ts"].map((each) => join(ROOT, each));

/** What an operator's own project says of its module: the types of "radsec-hub/module" are those of this checkout. */
async function checked(file: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const folder = await temporaryFolder();
  await symlink(join(ROOT, "node_modules"), join(folder, "node_modules"));
  if (file.endsWith("opening-hours.ts")) await cp(file, join(folder, "module.ts"));
  else await writeFile(join(folder, "module.ts"), file);
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  const compilerOptions = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    module: "nodenext",
    target: "es2024",
    types: ["node"],
    allowImportingTsExtensions: true,
    paths: { "radsec-hub/module": [join(ROOT, "src/aaa/pipeline/module.ts")] },
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["module.ts", ...SHIMS] }));
  return runToEnd(process.execPath, [TSC, "--project", folder]);
}

const MISTAKEN = `import { defineModule, z } from "radsec-hub/module";
export const module = defineModule({
  name: "mistaken",
  settings: z.strictObject({ limit: z.int() }),
  instantiate({ limt }) {
    return {
      authorize: () => "yes",
      postauth({ reply, contrl }) {
        reply.add("Session-Timeout", { seconds: 1 });
        return "ok";
      },
    };
  },
});
`;

describe("the types of radsec-hub/module", () => {
  it("take examples/own-module as it is", async () => {
    const { code, output } = await checked(join(ROOT, "examples/own-module/opening-hours.ts"));
    expect(output).toBe("");
    expect(code).toBe(0);
  }, 60_000);

  it("tell of settings that there are not, of codes that are none, and of parts of a request that it has not", async () => {
    const { code, output } = await checked(MISTAKEN);
    expect(code).not.toBe(0);
    expect(output).toMatch(/module\.ts\(5,17\): error TS2339: Property 'limt' does not exist/);
    expect(output).toContain(`'"yes"' is not assignable to type '"fail" | "handled" | "invalid"`);
    expect(output).toMatch(/module\.ts\(8,\d+\): error TS2339: Property 'contrl' does not exist/);
    expect(output).toMatch(/module\.ts\(9,\d+\): error .*'seconds' does not exist/);
  }, 60_000);
});
