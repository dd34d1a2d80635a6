import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import type { BatchUser } from "../../src/http/compat/batch-users.ts";
import { voucherPdf } from "../../src/http/compat/vouchers.ts";
import { needs } from "../support/freeradius.ts";
import { runToEnd } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

function user(username: string, password: string): BatchUser {
  return { username, password, passwordHash: undefined, email: "", firstName: "", lastName: "", note: undefined };
}

/** What a reader of PDFs shows, without the breaks between lines. */
async function shown(name: string, users: readonly BatchUser[]): Promise<string> {
  const file = join(await temporaryFolder(), "vouchers.pdf");
  await writeFile(file, await voucherPdf(name, users));
  const { output } = await runToEnd("pdftotext", ["-raw", file, "-"], "");
  return output.replaceAll(/\s/g, "");
}

describe("vouchers, as a reader of PDFs shows them", () => {
  beforeEach((context) => needs(context, "pdftotext"));

  it("show every letter of the longest name and password there are, one after the other", async () => {
    const [name, password] = ["n".repeat(64), "p".repeat(128)];
    expect(await shown("hotel", [user(name, password)])).toContain(`Username${name}Password${password}`);
    expect(await shown("hôtel", [user("émile", "naïve-5%\\")])).toContain("UsernameémilePasswordnaïve-5%\\");
  });

  it("show letters beyond Latin-1, and none that no font has: not another password than the right one", async () => {
    const text = await shown("Łódź", [user("Łukasz", "пароль-π"), user("guest", "秘密123")]);
    expect(text).toContain("ŁódźUsernameŁukaszPasswordпароль-π");
    expect(text).toContain("UsernameguestPasswordseetheCSVfile");
  });
});
