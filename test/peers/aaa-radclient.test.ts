import { beforeEach, describe, expect, it } from "vitest";
import { ntHash } from "../../src/aaa/mschap/nt-hash.ts";
import { AaaHub, withPassword } from "../support/aaa-hub.ts";
import { needs } from "../support/freeradius.ts";
import { hashedPassword } from "../support/hashed-passwords.ts";
import { planRecord, userRecord } from "../support/user-records.ts";

const NEMO = withPassword("nemo", "20000 leagues");

/** The exchange of RFC 2759 Section 9.2. @param response NT-Response, hexadecimal */
function msChap2(response: string): string[] {
  return [
    "MS-CHAP-Challenge = 0x5B5D7C7D7B3F2F3E3C2C602132262628",
    `MS-CHAP2-Response = 0x070021402324255E262A28295F2B3A337C7E${"00".repeat(8)}${response}`,
  ];
}

describe("radclient against users of the store", () => {
  beforeEach((context) => needs(context, "radclient"));

  it.each([
    { how: "in clear text", password: { kind: "clear-text", secret: "20000 leagues" } },
    { how: "as NT hash", password: { kind: "nt-hash", secret: ntHash(Buffer.from("20000 leagues")).toString("hex") } },
  ] as const)("PAP, kept $how: lets in who knows the password, and nobody else", async ({ password }) => {
    const hub = await AaaHub.start({ users: [userRecord("nemo", { password })] });
    const asked = ["20000 leagues", "20000 league", "20000 leagues more", ""].map((given) =>
      hub.auth('User-Name = "nemo"', `User-Password = "${given}"`),
    );
    const replies = (await Promise.all(asked)).map(({ reply }) => reply);
    expect(replies).toEqual(["Access-Accept", "Access-Reject", "Access-Reject", "Access-Reject"]);
  });

  it("PAP, hashed: the same, and a second time from memory", async () => {
    const hub = await AaaHub.start({ users: [userRecord("ahab", { password: await hashedPassword("white whale") })] });
    const login = () => hub.auth('User-Name = "ahab"', 'User-Password = "white whale"');
    expect((await login()).reply).toBe("Access-Accept");
    expect((await login()).reply).toBe("Access-Accept");
    expect((await hub.auth('User-Name = "ahab"', 'User-Password = "white"')).reply).toBe("Access-Reject");
  });

  it("CHAP: lets in who knows the password, and nobody else", async () => {
    const hub = await AaaHub.start({ users: [NEMO] });
    expect((await hub.auth('User-Name = "nemo"', 'CHAP-Password = "20000 leagues"')).reply).toBe("Access-Accept");
    expect((await hub.auth('User-Name = "nemo"', 'CHAP-Password = "wrong"')).reply).toBe("Access-Reject");
  });

  it("MS-CHAPv1: the same, with keys in the Accept and E=691 in the Reject", async () => {
    const hub = await AaaHub.start({ users: [NEMO] });
    const right = await hub.auth('User-Name = "nemo"', 'MS-CHAP-Password = "20000 leagues"');
    expect(right.reply).toBe("Access-Accept");
    expect(right.output).toContain("MS-CHAP-MPPE-Keys");
    const wrong = await hub.auth('User-Name = "nemo"', 'MS-CHAP-Password = "wrong"');
    expect(wrong.reply).toBe("Access-Reject");
    expect(wrong.output).toContain("E=691");
  });

  it.each(["User", "DOMAIN\\\\User"])(
    "MS-CHAPv2 as %s: proves itself to the peer and gives the NAS its keys (RFC 2759, RFC 3079)",
    async (name) => {
      const nt = ntHash(Buffer.from("clientPass")).toString("hex");
      const hub = await AaaHub.start({
        users: ["User", "DOMAIN\\User"].map((each) => userRecord(each, { password: { kind: "nt-hash", secret: nt } })),
      });
      const response = "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF";
      const right = await hub.auth(`User-Name = "${name}"`, ...msChap2(response));
      expect(right.reply).toBe("Access-Accept");
      const success = Buffer.from("S=407A5589115FD0D6209F510FE9C04566932CDA56").toString("hex");
      expect(right.output).toContain(`MS-CHAP2-Success = 0x07${success}`);
      expect(right.output).toMatch(/MS-MPPE-Recv-Key = 0x[0-9a-f]{32}\n/);
      expect(right.output).toContain("MS-MPPE-Send-Key = 0x8b7cdc149b993a1ba118cb153f56dccb");
      const wrong = await hub.auth(`User-Name = "${name}"`, ...msChap2("00".repeat(24)));
      expect(wrong.reply).toBe("Access-Reject");
      expect(wrong.output).toContain("E=691");
      expect(wrong.output).not.toContain("MPPE");
    },
  );

  it("says the same of a user that does not exist, is disabled or has expired as of a wrong password", async () => {
    const hub = await AaaHub.start({
      users: [
        NEMO,
        withPassword("gone", "20000 leagues", { disabled: true }),
        withPassword("late", "20000 leagues", { validUntilMs: 1_000 }),
      ],
    });
    const guesses = ["nemo", "nobody", "gone", "late"].map((name) =>
      hub.auth(`User-Name = "${name}"`, 'User-Password = "a guess"'),
    );
    for (const { reply, output } of await Promise.all(guesses)) {
      expect(reply).toBe("Access-Reject");
      expect(output).not.toContain("Reply-Message");
      // Header and Message-Authenticator.
      expect(output).toMatch(/Received Access-Reject .* length 38/);
    }
  });

  it("tells who knows the password why it does not help", async () => {
    const hub = await AaaHub.start({
      users: [
        withPassword("gone", "20000 leagues", { disabled: true }),
        withPassword("late", "20000 leagues", { validUntilMs: 1_000 }),
      ],
    });
    const [gone, late] = await Promise.all(
      ["gone", "late"].map((name) => hub.auth(`User-Name = "${name}"`, 'User-Password = "20000 leagues"')),
    );
    expect(gone?.reply).toBe("Access-Reject");
    expect(gone?.output).toContain("Your account is disabled");
    expect(late?.output).toContain("Your account has expired");
  });

  it("gives what the plan says, in the words of the router's vendor", async () => {
    const hub = await AaaHub.start({
      client: "vendor: mikrotik",
      users: [{ ...NEMO, plan: "fast" }],
      plans: [
        planRecord("fast", { values: { rateUpBps: 2_000_000, rateDownBps: 10_000_000, idleTimeoutSeconds: 900 } }),
      ],
    });
    const { reply, output } = await hub.auth('User-Name = "nemo"', 'User-Password = "20000 leagues"');
    expect(reply).toBe("Access-Accept");
    expect(output).toContain('Mikrotik-Rate-Limit = "2M/10M"');
    expect(output).toContain("Idle-Timeout = 900");
    expect(output).toContain("Acct-Interim-Interval = 120");
  });

  it("MAC: lets a device in under its address in any notation, and nobody who only says so", async () => {
    const hub = await AaaHub.start({
      users: [userRecord("001122aabbcc")],
      yaml: "modules: { sections: { authorize: [proxy, mac, users, chap, mschap, pap] } }",
    });
    const station = 'Calling-Station-Id = "00-11-22-AA-BB-CC"';
    const name = 'User-Name = "00:11:22:aa:bb:cc"';
    expect((await hub.auth(name, station, 'User-Password = "0011.22aa.bbcc"')).reply).toBe("Access-Accept");
    expect((await hub.auth(name, station, 'CHAP-Password = "00:11:22:aa:bb:cc"')).reply).toBe("Access-Accept");
    const refused = [
      hub.auth(name, station, 'User-Password = "guess"'),
      hub.auth(name, 'Calling-Station-Id = "00-11-22-AA-BB-CD"', 'User-Password = "00:11:22:aa:bb:cc"'),
      hub.auth(
        'User-Name = "00:11:22:aa:bb:cd"',
        'Calling-Station-Id = "00-11-22-AA-BB-CD"',
        'User-Password = "001122aabbcd"',
      ),
    ];
    expect((await Promise.all(refused)).map(({ reply }) => reply)).toEqual(Array(3).fill("Access-Reject"));
  });

  it("MAC: counts a device that nobody knows as no guess, so that its user can still log in at the portal", async () => {
    const hub = await AaaHub.start({
      users: [withPassword("nemo", "20000 leagues")],
      yaml: `
users: { guesses: { mac: 2, source: 3 } }
modules: { sections: { authorize: [proxy, mac, users, chap, mschap, pap] } }`,
    });
    const station = 'Calling-Station-Id = "00-11-22-AA-BB-CC"';
    for (let tries = 0; tries < 4; tries += 1) {
      const { reply } = await hub.auth('User-Name = "001122aabbcc"', station, 'User-Password = "001122aabbcc"');
      expect(reply).toBe("Access-Reject");
    }
    const login = await hub.auth('User-Name = "nemo"', station, 'User-Password = "20000 leagues"');
    expect(login.reply).toBe("Access-Accept");
  });

  it("stores accounting as before, and acknowledges what is stored", async () => {
    const hub = await AaaHub.start({});
    const { reply } = await hub.acct(
      "Acct-Status-Type = Start",
      'Acct-Session-Id = "a1"',
      'User-Name = "nemo"',
      'NAS-Identifier = "nas-07"',
    );
    expect(reply).toBe("Accounting-Response");
    expect(await hub.running.hub.store?.acctSessions.countOpen()).toBe(1);
  });
});
