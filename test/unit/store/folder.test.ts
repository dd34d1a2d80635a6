import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeFolder } from "../../../src/store/folder.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("makeFolder()", () => {
  it("makes what is missing, and leaves what is there", async () => {
    const folder = join(await temporaryFolder(), "a", "b");
    makeFolder(folder, 0o700);
    makeFolder(folder);
    expect([existsSync(folder), statSync(folder).mode & 0o777]).toEqual([true, 0o700]);
    expect(statSync(join(folder, "..")).mode & 0o777).toBe(0o700);
  });

  it("says so where none can be made, and does not try for ever", () => {
    expect(() => makeFolder("/proc/none/a/b")).toThrow("ENOENT");
    expect(() => makeFolder("/dev/null")).toThrow("EEXIST");
    expect(() => makeFolder("/dev/null/a")).toThrow("EEXIST");
  });
});
