import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openLog } from "../../../src/log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

it("shows names of others in one line, without what a terminal acts on or what turns the line around", async () => {
  const file = join(await temporaryFolder(), "hub.log");
  const log = openLog({ level: "info", format: "pretty", file });
  const name = "al\u202eecila\n12:00 INFO: \u001b[31mall is well\u009b2J\u0085\u2028\u2066\u200b";
  log.warn({ username: name }, `users: ${name}: not known`);
  const text = await readFile(file, "utf8");
  expect(text.trimEnd().split("\n")).toHaveLength(1);
  expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(text).toContain("al\\u{202e}ecila?12:00 INFO: ?[31mall is well?2J");
});

it("leaves letters of every language as they are", async () => {
  const file = join(await temporaryFolder(), "hub.log");
  openLog({ level: "info", format: "pretty", file }).info({ username: "Zoë 店 😀" }, "hello Zoë 店 😀");
  expect(await readFile(file, "utf8")).toMatch(/INFO: hello Zoë 店 😀 \{"username":"Zoë 店 😀"\}\n$/);
});
