import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  appendLine,
  createFolder,
  makeFolder,
  readSecret,
  readText,
  removeFolder,
  replaceFile,
} from "../../../pki/whole-files.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const SECRET = { text: "secret", secret: true };
const PUBLIC = { text: "public", secret: false };

async function modeOf(path: string): Promise<string> {
  return ((await stat(path)).mode & 0o777).toString(8);
}

function pkiError(file: string, reason: string): unknown {
  return expect.objectContaining({
    code: "ERR_PKI",
    message: expect.stringContaining(`${file}: ${reason}`) as unknown,
    details: expect.objectContaining({ file }) as unknown,
  });
}

describe("createFolder()", () => {
  it("makes a folder of mode 0700 with secrets of mode 0600 and leaves nothing else behind", async () => {
    const parent = await temporaryFolder();
    const folder = join(parent, "ca");
    expect(await createFolder(folder, { key: SECRET, certificate: PUBLIC })).toBe(true);
    expect(await modeOf(folder)).toBe("700");
    expect(await modeOf(join(folder, "key"))).toBe("600");
    expect(await modeOf(join(folder, "certificate"))).toBe("644");
    expect(await readdir(parent)).toEqual(["ca"]);
  });

  it("lets one of many at once win, whole, and tells the others", async () => {
    const parent = await temporaryFolder();
    const folder = join(parent, "ca");
    const contestants = Array.from({ length: 16 }, (_, index) => ({ text: `${index}`, secret: true }));
    const won = await Promise.all(contestants.map((content) => createFolder(folder, { a: content, b: content })));
    expect(won.filter(Boolean)).toHaveLength(1);
    const winner = `${won.indexOf(true)}`;
    expect([await readText(join(folder, "a")), await readText(join(folder, "b"))]).toEqual([winner, winner]);
    expect(await readdir(parent)).toEqual(["ca"]);
  });

  it("names a file that is in the way", async () => {
    const folder = join(await temporaryFolder(), "ca");
    await writeFile(folder, "");
    await expect(createFolder(folder, { key: SECRET })).rejects.toThrow(pkiError(folder, "a file is in the way"));
  });
});

describe("replaceFile()", () => {
  it("replaces the text and leaves no hidden file", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "crl.pem");
    await replaceFile(file, PUBLIC);
    await replaceFile(file, SECRET);
    expect(await readFile(file, "utf8")).toBe("secret");
    expect(await modeOf(file)).toBe("600");
    expect(await readdir(folder)).toEqual(["crl.pem"]);
  });

  it("keeps the old file and removes the new one when it cannot be put in place", async () => {
    const folder = await temporaryFolder();
    const file = join(folder, "crl.pem");
    await mkdir(file);
    await expect(replaceFile(file, PUBLIC)).rejects.toThrow(pkiError(file, "a folder is in the way"));
    expect(await readdir(folder)).toEqual(["crl.pem"]);
  });
});

describe("makeFolder()", () => {
  it("makes mode 0700 and leaves the mode of one that exists", async () => {
    const folder = join(await temporaryFolder(), "var", "pki");
    await makeFolder(folder);
    expect(await modeOf(folder)).toBe("700");
    await chmod(folder, 0o750);
    await makeFolder(folder);
    expect(await modeOf(folder)).toBe("750");
  });

  it("names the folder when a file is in the way, above it or in its place", async () => {
    const file = join(await temporaryFolder(), "file");
    await writeFile(file, "");
    await expect(makeFolder(file)).rejects.toThrow(pkiError(file, "a file is in the way"));
    const below = join(file, "var", "pki");
    await expect(makeFolder(below)).rejects.toThrow(pkiError(below, "a file is in the way"));
  });
});

describe("readSecret()", () => {
  it("takes back what others may read", async () => {
    const file = join(await temporaryFolder(), "key.pem");
    await writeFile(file, "secret", { mode: 0o644 });
    expect(await readSecret(file)).toBe("secret");
    expect(await modeOf(file)).toBe("600");
  });

  it("is undefined without the file and names one that cannot be read", async () => {
    const folder = await temporaryFolder();
    expect(await readSecret(join(folder, "none"))).toBeUndefined();
    await expect(readSecret(folder)).rejects.toThrow(pkiError(folder, "a folder is in the way"));
  });
});

describe("removeFolder()", () => {
  it("removes all of it, and minds nothing that is not there", async () => {
    const parent = await temporaryFolder();
    const folder = join(parent, "edge-1");
    await createFolder(folder, { key: SECRET });
    await removeFolder(folder);
    await removeFolder(folder);
    expect(await readdir(parent)).toEqual([]);
  });
});

describe("appendLine()", () => {
  it("keeps every line of many writers whole", async () => {
    const file = join(await temporaryFolder(), "ledger.jsonl");
    const lines = Array.from({ length: 50 }, (_, index) => `${index}:`.padEnd(500, "x"));
    await Promise.all(lines.map((line) => appendLine(file, line)));
    expect((await readFile(file, "utf8")).trimEnd().split("\n").sort()).toEqual(lines.sort());
    expect(await modeOf(file)).toBe("600");
  });
});
