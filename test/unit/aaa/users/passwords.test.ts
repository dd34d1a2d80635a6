import { scryptSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HashingOptions } from "../../../../src/aaa/users/password-hashing.ts";
import { Passwords } from "../../../../src/aaa/users/passwords.ts";
import { parsePhc, phcText } from "../../../../src/aaa/users/phc.ts";
import { knownUser } from "../../../../src/aaa/users/user-directory.ts";
import { systemRandom } from "../../../../src/clock.ts";
import type { StoredPassword } from "../../../../src/store/user-types.ts";
import { userRecord } from "../../../support/user-records.ts";

const SECRET = "correct horse";
const OPTIONS: HashingOptions = { algorithm: "argon2id", atOnce: 2, waitingMax: 8 };

function passwords(options: Partial<HashingOptions> = {}) {
  const faults: unknown[] = [];
  const onFault = (error: unknown) => faults.push(error);
  return { faults, passwords: new Passwords({ random: systemRandom, onFault }, { ...OPTIONS, ...options }) };
}

const known = (password: StoredPassword | undefined, revision = "r1") =>
  knownUser(userRecord("alice", { password, revision }), undefined);

/** A cheap hash: what is tested is not how long it takes. */
function cheap(text: string, logN = 4): StoredPassword {
  const salt = Buffer.alloc(16, 7);
  const hash = scryptSync(text, salt, 32, { N: 2 ** logN, r: 8, p: 1 });
  return { kind: "hashed", secret: phcText({ algorithm: "scrypt", logN, blockSize: 8, parallelism: 1, salt, hash }) };
}

describe("Passwords", () => {
  it.each(["argon2id", "scrypt"] as const)("hashes with %s, salted, and verifies it", async (algorithm) => {
    const { passwords: own } = passwords({ algorithm });
    const [one, other] = await Promise.all([own.stored(SECRET), own.stored(SECRET)]);
    expect(one?.secret).toMatch(
      algorithm === "scrypt" ? /^\$scrypt\$ln=14,r=8,p=5\$/ : /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
    expect(one?.secret).not.toBe(other?.secret);
    await expect(own.verify(known(one), Buffer.from(SECRET))).resolves.toBe("match");
    await expect(own.verify(known(one), Buffer.from("wrong"))).resolves.toBe("mismatch");
  });

  it.each<[StoredPassword["kind"]]>([["clear-text"], ["nt-hash"]])("verifies one kept as %s", async (kind) => {
    const { passwords: own } = passwords();
    const stored = await own.stored("pässword", kind);
    await expect(own.verify(known(stored), Buffer.from("pässword"))).resolves.toBe("match");
    await expect(own.verify(known(stored), Buffer.from("password"))).resolves.toBe("mismatch");
  });

  it("knows the NT hash of RFC 2759 Section 9.2, and has it for clear text too", async () => {
    const { passwords: own } = passwords();
    const stored = await own.stored("clientPass", "nt-hash");
    expect(stored?.secret).toBe("44ebba8d5312b8d611474411f56989ae");
    expect(known({ kind: "clear-text", secret: "clientPass" }).ntHash?.toString("hex")).toBe(stored?.secret);
    expect(known(cheap("x")).ntHash).toBeUndefined();
    expect(known(cheap("x")).clearText).toBeUndefined();
  });

  it("hashes once for each wrong password, whoever it is of: time tells no names", async () => {
    const { passwords: own } = passwords({ atOnce: 1, waitingMax: 1 });
    const wrong = Buffer.from("wrong");
    const cases = [undefined, known(undefined), known({ kind: "clear-text", secret: SECRET }), known(cheap(SECRET))];
    for (const user of cases) {
      const verdict = own.verify(user, wrong);
      expect(own.load.running).toBe(1);
      await expect(verdict).resolves.toBe(
        user?.user.password === undefined && user !== undefined ? "unusable" : "mismatch",
      );
    }
  });

  it("remembers what was right until the user changes, for that user alone", async () => {
    const { passwords: own } = passwords({ atOnce: 1 });
    const user = known(cheap(SECRET));
    const hashes = async (verdict: Promise<unknown>) => {
      const { running } = own.load;
      return [await verdict, running];
    };
    expect(await hashes(own.verify(user, Buffer.from(SECRET)))).toEqual(["match", 1]);
    expect(await hashes(own.verify(user, Buffer.from(SECRET)))).toEqual(["match", 0]);
    expect(await hashes(own.verify(user, Buffer.from("wrong")))).toEqual(["mismatch", 1]);
    expect(await hashes(own.verify(known(cheap("other"), "r2"), Buffer.from(SECRET)))).toEqual(["mismatch", 1]);
    expect(own.load.remembered).toBe(1);
    own.forget("alice");
    expect(await hashes(own.verify(user, Buffer.from(SECRET)))).toEqual(["match", 1]);
  });

  it("is busy when too many wait, and hashes so many at once and no more", async () => {
    const { passwords: own } = passwords({ atOnce: 2, waitingMax: 3 });
    const verdicts = Array.from({ length: 7 }, () => own.verify(known(cheap(SECRET, 10)), Buffer.from(SECRET)));
    expect(own.load).toMatchObject({ running: 2, waiting: 3, refused: 2 });
    const settled = await Promise.all(verdicts);
    expect(settled.filter((verdict) => verdict === "busy")).toHaveLength(2);
    expect(settled.filter((verdict) => verdict === "match")).toHaveLength(5);
    expect(own.load).toMatchObject({ running: 0, waiting: 0 });
  });

  it("lets logins go before new hashes", async () => {
    const { passwords: own } = passwords({ atOnce: 1, waitingMax: 9 });
    const ended: string[] = [];
    const note = (what: string) => () => void ended.push(what);
    const begun = own.stored("first").then(note("first"));
    const later = own.stored("later").then(note("later"));
    const login = own.verify(known(cheap(SECRET)), Buffer.from(SECRET)).then(note("login"));
    await Promise.all([begun, later, login]);
    expect(ended).toEqual(["first", "login", "later"]);
  });
});

describe("PHC strings", () => {
  it.each([
    "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI",
    "$scrypt$ln=16,r=8,p=1$c29tZXNhbHRzb21lc2FsdA$MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI",
  ])("are read and written: %s", (text) => {
    const parsed = parsePhc(text);
    expect(parsed && phcText(parsed)).toBe(text);
  });

  it.each([
    ["", "nothing"],
    ["$2b$10$abcdefghijklmnopqrstuv", "another algorithm"],
    ["$argon2i$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "another variant"],
    ["$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "4 GiB of memory"],
    ["$argon2id$v=19$m=19456,t=900,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "900 passes"],
    ["$argon2id$v=19$m=4,t=2,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "less than 8 KiB a lane"],
    ["$scrypt$ln=30,r=8,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "N of 2^30"],
    ["$scrypt$ln=18,r=32,p=1$c29tZXNhbHQ$MTIzNDU2Nzg5MDEyMzQ1Ng", "1 GiB of memory"],
    ["$scrypt$ln=14,r=8,p=1$c29tZXNhbHQ$", "no hash"],
  ])("%s is none: %s", (text) => {
    expect(parsePhc(text)).toBeUndefined();
  });
});
