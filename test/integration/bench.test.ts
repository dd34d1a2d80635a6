import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { temporaryFolder } from "../support/temporary-folder.ts";

const RUN = join(import.meta.dirname, "../bench/run.ts");

// That it measures, never what: figures depend on the machine.
it("test/bench/run.ts --quick completes and writes its results as JSON", { timeout: 240_000 }, async () => {
  const folder = await temporaryFolder();
  const { stdout } = await promisify(execFile)(process.execPath, [RUN, "--quick", "--results", folder]);
  expect(stdout).toContain("Targets");
  const [file, ...more] = await readdir(folder);
  expect(more).toEqual([]);
  const record = JSON.parse(await readFile(join(folder, file as string), "utf8"));
  expect(Object.keys(record)).toEqual(
    expect.arrayContaining(["machine", "exchanges", "http", "idle", "accounting", "aaa", "rest", "verdicts"]),
  );
  for (const { hub, bare } of [...record.exchanges.rows, ...record.http]) {
    expect(hub.count).toBeGreaterThan(0);
    expect(bare.count).toBeGreaterThan(0);
  }
  // The benchmark itself fails when the store holds other totals than were acknowledged.
  expect(record.accounting.rows.map(({ lost }: { lost: number }) => lost)).toEqual([0, 0, 0]);
  // It fails as well when a changed password is not noticed.
  expect(record.aaa.rows.map(({ failed }: { failed: number }) => failed)).toEqual([0, 0, 0, 0]);
  expect(record.rest).toMatchObject({ failed: 0, accountingLost: 0 });
});
