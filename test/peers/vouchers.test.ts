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

async function made(name: string, users: readonly BatchUser[]): Promise<string> {
  const file = join(await temporaryFolder(), "vouchers.pdf");
  await writeFile(file, await voucherPdf(name, users));
  return file;
}

/** What a reader of PDFs shows, without the breaks between lines. */
async function shown(name: string, users: readonly BatchUser[]): Promise<string> {
  const { output } = await runToEnd("pdftotext", ["-raw", await made(name, users), "-"], "");
  return output.replaceAll(/\s/g, "");
}

/** Top and bottom of each line of words, in points from the top of the page. */
async function linesOf(name: string, users: readonly BatchUser[]): Promise<{ top: number; bottom: number }[]> {
  const { output } = await runToEnd("pdftotext", ["-bbox-layout", await made(name, users), "-"], "");
  const lines = output.matchAll(/<line xMin="[\d.]+" yMin="([\d.]+)" xMax="[\d.]+" yMax="([\d.]+)">/g);
  return Array.from(lines, ([, top, bottom]) => ({ top: Number(top), bottom: Number(bottom) }));
}

/** Points that the boxes of two lines of text may share. */
const LEADING = 2;
const VOUCHER_BOTTOM = 36 + 144;

describe("vouchers, as a reader of PDFs shows them", () => {
  beforeEach((context) => needs(context, "pdftotext"));

  it("show every letter of the longest name and password there are, one after the other", async () => {
    const [name, password] = ["n".repeat(64), "p".repeat(128)];
    expect(await shown("hotel", [user(name, password)])).toContain(`Username${name}Password${password}`);
    expect(await shown("hôtel", [user("émile", "naïve-5%\\")])).toContain("UsernameémilePasswordnaïve-5%\\");
  });

  it("keep name and password apart and within the voucher", async () => {
    for (const username of ["n".repeat(64), "ł".repeat(64), "a.name@subdomain.example.org"]) {
      const lines = await linesOf("the batch of a hotel whose name does not fit into a single line", [
        user(username, "p".repeat(128)),
      ]);
      expect(lines.length).toBeGreaterThan(5);
      for (const [index, { top, bottom }] of lines.entries()) {
        expect(bottom, username).toBeLessThan(VOUCHER_BOTTOM);
        if (index > 0) expect(top, username).toBeGreaterThan((lines[index - 1]?.bottom ?? 0) - LEADING);
      }
    }
  });

  it("show letters beyond Latin-1, and none that no font has: not another password than the right one", async () => {
    const text = await shown("Łódź", [user("Łukasz", "пароль-π"), user("guest", "秘密123")]);
    expect(text).toContain("ŁódźUsernameŁukaszPasswordпароль-π");
    expect(text).toContain("UsernameguestPasswordseetheCSVfile");
  });
});
