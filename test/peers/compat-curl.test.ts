import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { withPassword } from "../support/aaa-hub.ts";
import { CompatHub, DJANGO_TOKEN } from "../support/compat-hub.ts";
import { needs } from "../support/freeradius.ts";
import { runToEnd } from "../support/program.ts";

const SEED = join(import.meta.dirname, "../../../shared/seeds/001_405219da42240411.txt");

/** The curl calls of the seed, each as one line. */
async function seedCalls(): Promise<string[]> {
  const text = await readFile(SEED, "utf8").catch(() => undefined);
  const joined = text?.replaceAll(/\\\s*\n\s*/g, "") ?? "";
  return [...joined.matchAll(/curl -X POST .*/g)].map(([call]) => call.trim());
}

describe("the curl lines of the seed", () => {
  beforeEach((context) => needs(context, "curl"));

  it("work unchanged but for host, token, user and password", async (context) => {
    const calls = await seedCalls();
    if (calls.length === 0) context.skip("../shared is not beside the checkout");
    expect(calls).toHaveLength(2);
    const hub = await CompatHub.start({ users: [withPassword("alice", "wonderland")] });
    for (const call of calls) {
      const line = call
        .replace("http://localhost:8000", hub.running.api)
        .replace("<token>", DJANGO_TOKEN)
        .replace("<username>", "alice")
        .replace("<password>", "wonderland");
      const { output } = await runToEnd("/bin/sh", ["-c", line], "");
      expect(output, call).toContain('{"control:Auth-Type":"Accept"}');
      const { output: head } = await runToEnd("/bin/sh", ["-c", `${line.replace("wonderland", "wrong")} -s -i`], "");
      expect(head).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(head.toLowerCase()).toContain("content-length: 0");
      expect(head).not.toMatch(/^content-type:/im);
    }
  });
});
