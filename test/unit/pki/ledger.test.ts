import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Ledger } from "../../../pki/ledger.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const EDGE = { serial: "0A", name: 'edge "1"\n', usage: "clientAuth", notAfterMs: 1_700_000_000_000 } as const;
const ISSUED = '{"event":"issued","serial":"0A","name":"a","usage":"clientAuth","notAfter":"2027-01-01T00:00:00.000Z"}';

function ledgerIn(folder: string): Ledger {
  return new Ledger(join(folder, "ledger.jsonl"));
}

describe("Ledger", () => {
  it("certificates() returns what was issued, with the first revocation of each", async () => {
    const ledger = ledgerIn(await temporaryFolder());
    expect(await ledger.certificates()).toEqual([]);
    await ledger.issued(EDGE);
    await ledger.issued({ ...EDGE, serial: "0B" });
    await ledger.revoked("0B", 1_600_000_000_000);
    await ledger.revoked("0B", 1_650_000_000_000);
    await ledger.revoked("0C", 1_650_000_000_000);
    expect(await ledger.certificates()).toEqual([
      { ...EDGE, revokedAtMs: undefined },
      { ...EDGE, serial: "0B", revokedAtMs: 1_600_000_000_000 },
    ]);
    expect((await readFile(ledger.file, "utf8")).split("\n")).toHaveLength(6);
  });

  it.each([
    "{",
    "null",
    "[]",
    '{"event":"issued"}',
    '{"event":"issued","serial":"0A","name":"a","usage":"clientAuth","notAfter":"soon"}',
    '{"event":"issued","serial":"0A","usage":"clientAuth","notAfter":"2027-01-01"}',
    '{"event":"revoked","serial":"0x0A","at":"2026-01-01"}',
    '{"event":"revoked","serial":"0A"}',
    '{"event":"forgotten","serial":"0A","at":"2026-01-01"}',
  ])("certificates() names file and line of %s: a skipped line could be a revocation", async (line) => {
    const ledger = ledgerIn(await temporaryFolder());
    await writeFile(ledger.file, `${ISSUED}\n${line}\n${ISSUED}\n`);
    await expect(ledger.certificates()).rejects.toThrow(
      expect.objectContaining({ code: "ERR_PKI", message: `${ledger.file}:2 is not an entry of the ledger` }),
    );
  });
});
