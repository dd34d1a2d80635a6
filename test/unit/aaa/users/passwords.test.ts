import { scryptSync } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import type { Passwords } from "../../../../src/aaa/users/passwords.ts";
import { parsePhc, phcText } from "../../../../src/aaa/users/phc.ts";
import { knownUser } from "../../../../src/aaa/users/user-directory.ts";
import type { StoredPassword } from "../../../../src/store/user-types.ts";
import type { KnownUser } from "../../../../src/aaa/users/types.ts";
import { passwordsWith } from "../../../support/hashed-passwords.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { userRecord } from "../../../support/user-records.ts";

const SECRET = "correct horse";

/** A login of alice, or of somebody who is not there, from a router. */
function login(
  own: Passwords,
  user: KnownUser | undefined,
  password: string,
  more: { username?: string; source?: string } = {},
) {
  const { username = user?.user.username ?? "alice", source = "peer 1" } = more;
  return own.verify({ username, callingStationId: undefined, source }, user, Buffer.from(password));
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
    const { passwords: own } = passwordsWith({ algorithm });
    const [one, other] = await Promise.all([own.stored(SECRET), own.stored(SECRET)]);
    expect(one?.secret).toMatch(
      algorithm === "scrypt" ? /^\$scrypt\$ln=14,r=8,p=5\$/ : /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/,
    );
    expect(one?.secret).not.toBe(other?.secret);
    await expect(login(own, known(one), SECRET)).resolves.toBe("match");
    await expect(login(own, known(one), "wrong")).resolves.toBe("mismatch");
  });

  it.each<[StoredPassword["kind"]]>([["clear-text"], ["nt-hash"]])("verifies one kept as %s", async (kind) => {
    const { passwords: own } = passwordsWith();
    const stored = await own.stored("pässword", kind);
    await expect(login(own, known(stored), "pässword")).resolves.toBe("match");
    await expect(login(own, known(stored), "password")).resolves.toBe("mismatch");
  });

  it("knows the NT hash of RFC 2759 Section 9.2, and has it for clear text too", async () => {
    const { passwords: own } = passwordsWith();
    const stored = await own.stored("clientPass", "nt-hash");
    expect(stored?.secret).toBe("44ebba8d5312b8d611474411f56989ae");
    expect(known({ kind: "clear-text", secret: "clientPass" }).ntHash?.toString("hex")).toBe(stored?.secret);
    expect(known(cheap("x")).ntHash).toBeUndefined();
    expect(known(cheap("x")).clearText).toBeUndefined();
  });

  it("hashes once for each wrong password, whoever it is of: time tells no names", async () => {
    const { passwords: own } = passwordsWith({ atOnce: 1, waitingMax: 1 });
    const cases = [undefined, known(undefined), known({ kind: "clear-text", secret: SECRET }), known(cheap(SECRET))];
    for (const user of cases) {
      const verdict = login(own, user, "wrong");
      expect(own.load.running).toBe(1);
      await expect(verdict).resolves.toBe(
        user?.user.password === undefined && user !== undefined ? "unusable" : "mismatch",
      );
    }
  });

  it("remembers what was right until the user changes, for that user alone", async () => {
    const { passwords: own } = passwordsWith({ atOnce: 1 });
    const user = known(cheap(SECRET));
    const hashes = async (verdict: Promise<unknown>) => {
      const { running } = own.load;
      return [await verdict, running];
    };
    expect(await hashes(login(own, user, SECRET))).toEqual(["match", 1]);
    expect(await hashes(login(own, user, SECRET))).toEqual(["match", 0]);
    expect(await hashes(login(own, user, "wrong"))).toEqual(["mismatch", 1]);
    expect(await hashes(login(own, known(cheap("other"), "r2"), SECRET))).toEqual(["mismatch", 1]);
    expect(own.load.remembered).toBe(1);
    own.forget("alice");
    expect(await hashes(login(own, user, SECRET))).toEqual(["match", 1]);
  });

  it("is busy when too many wait, and hashes so many at once and no more", async () => {
    const { passwords: own } = passwordsWith({ atOnce: 2, waitingMax: 3 });
    const verdicts = Array.from({ length: 7 }, (_, index) =>
      login(own, known(cheap(SECRET, 10), `r${index}`), SECRET, { source: `peer ${index}` }),
    );
    expect(own.load).toMatchObject({ running: 2, waiting: 3, refused: 2 });
    const settled = await Promise.all(verdicts);
    expect(settled.filter((verdict) => verdict === "busy")).toHaveLength(2);
    expect(settled.filter((verdict) => verdict === "match")).toHaveLength(5);
    expect(own.load).toMatchObject({ running: 0, waiting: 0 });
  });

  it("lets logins go before new hashes", async () => {
    const { passwords: own } = passwordsWith({ atOnce: 1, waitingMax: 9 });
    const ended: string[] = [];
    const note = (what: string) => () => void ended.push(what);
    const begun = own.stored("first").then(note("first"));
    const later = own.stored("later").then(note("later"));
    const soon = login(own, known(cheap(SECRET)), SECRET).then(note("login"));
    await Promise.all([begun, later, soon]);
    expect(ended).toEqual(["first", "login", "later"]);
  });
});

describe("Passwords, when many log in at once", () => {
  const idle = (own: Passwords) => vi.waitUntil(() => own.load.running === 0, { timeout: 10_000, interval: 1 });

  it.each([
    ["a user", known(cheap(SECRET, 12)), SECRET, "match"],
    ["a user who is wrong", known(cheap(SECRET, 12)), "wrong", "mismatch"],
    ["nobody", undefined, "wrong", "mismatch"],
  ])("computes one hash for all who ask the same of %s", async (_whom, user, password, verdict) => {
    const { passwords: own } = passwordsWith({ atOnce: 8 });
    const asked = Array.from({ length: 50 }, () => login(own, user, password));
    expect(own.load).toMatchObject({ running: 1, waiting: 0 });
    const other = login(own, user, "another password");
    expect(own.load).toMatchObject({ running: 2 });
    expect(new Set(await Promise.all(asked))).toEqual(new Set([verdict]));
    await expect(other).resolves.toBe("mismatch");
  });

  it.each([
    ["a user", known(cheap(SECRET)), SECRET, "match"],
    ["a user who is wrong", known(cheap(SECRET)), "wrong", "mismatch"],
    ["nobody", undefined, "wrong", "mismatch"],
  ])(
    "sends %s away when it takes too long, and has the verdict for who asks again",
    async (_whom, user, password, verdict) => {
      const clock = new ManualClock();
      const { passwords: own } = passwordsWith({ algorithm: "scrypt", answerWithinMs: 4_000 }, { clock });
      const first = login(own, user, password);
      clock.advance(3_999);
      expect(own.load).toMatchObject({ late: 0, running: 1 });
      clock.advance(1);
      await expect(first).resolves.toBe("busy");
      expect(own.load).toMatchObject({ late: 1, running: 1 });
      await idle(own);
      const again = login(own, user, password);
      expect(own.load.running).toBe(0);
      await expect(again).resolves.toBe(verdict);
      expect(clock.waiting).toBe(0);
    },
  );

  it("keeps a verdict that nobody heard for one who asks, and for half a minute", async () => {
    const clock = new ManualClock();
    const { passwords: own } = passwordsWith({ answerWithinMs: 1_000 }, { clock });
    const late = async () => {
      const asked = login(own, known(cheap(SECRET)), "wrong");
      clock.advance(1_000);
      await expect(asked).resolves.toBe("busy");
      await idle(own);
    };
    await late();
    clock.advance(30_000);
    const afterwards = login(own, known(cheap(SECRET)), "wrong");
    expect(own.load.running).toBe(1);
    await afterwards;
    await late();
    await login(own, known(cheap(SECRET)), "wrong");
    const twice = login(own, known(cheap(SECRET)), "wrong");
    expect(own.load.running).toBe(1);
    await twice;
  });

  it("does not wait beyond what its caller has", async () => {
    const clock = new ManualClock();
    const { passwords: own } = passwordsWith({ answerWithinMs: 4_000 }, { clock });
    const attempt = { username: "alice", callingStationId: undefined, source: "peer 1" };
    const asked = own.verify(attempt, known(cheap(SECRET)), Buffer.from(SECRET), clock.now() + 500);
    clock.advance(500);
    await expect(asked).resolves.toBe("busy");
  });

  it("looks at no more passwords of a user at once than may be wrong, and leaves the rest unanswered", async () => {
    const guesses = { windowMs: 60_000, userMax: 3, macMax: 0, sourceMax: 0 };
    const { passwords: own, counter } = passwordsWith({ atOnce: 1, waitingMax: 100 }, { guesses });
    const user = known(cheap(SECRET));
    const attempt = { username: "alice", callingStationId: undefined, source: "peer 1" };
    counter.failed(attempt);
    const verdicts = await Promise.all(Array.from({ length: 20 }, (_, index) => login(own, user, `guess ${index}`)));
    expect(verdicts.filter((verdict) => verdict === "mismatch")).toHaveLength(2);
    expect(own.load).toMatchObject({ held: 18, refused: 0 });
    await expect(login(own, user, SECRET)).resolves.toBe("match");
    // The hub's own heartbeat is held up by nothing.
    counter.failed(attempt);
    counter.failed(attempt);
    await expect(login(own, user, "guess")).resolves.toBe("busy");
    await expect(own.verify({ ...attempt, exempt: true }, user, Buffer.from("probe"))).resolves.toBe("mismatch");
  });

  it("invariant 9: takes one of each source in turn, and gives none more than half of the places", async () => {
    const { passwords: own } = passwordsWith({ atOnce: 1, waitingMax: 8 });
    const ended: string[] = [];
    const ask = (source: string, index: number) =>
      login(own, undefined, "wrong", { username: `${source}${index}`, source }).then((verdict) =>
        ended.push(verdict === "busy" ? "busy" : source),
      );
    const flood = Array.from({ length: 7 }, (_, index) => ask("flood", index));
    expect(own.load).toMatchObject({ running: 1, waiting: 4, refused: 2 });
    await Promise.all([...flood, ask("quiet", 1), ask("quiet", 2)]);
    expect(ended).toEqual(["busy", "busy", "flood", "flood", "quiet", "flood", "quiet", "flood", "flood"]);
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
