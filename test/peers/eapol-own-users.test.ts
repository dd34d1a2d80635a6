import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { ntHash } from "../../src/aaa/mschap/nt-hash.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { type EapTunnel, NAS_SECRET, OUTER_IDENTITY, startEapTunnel } from "../support/eap-tunnel.ts";
import { needs } from "../support/freeradius.ts";
import { hashedPassword } from "../support/hashed-passwords.ts";
import { findProgram, runToEnd } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { userRecord } from "../support/user-records.ts";

const PASSWORD = "20000 leagues";

/** What the peer does inside of its tunnel, and what the hub is then asked. */
const METHODS = [
  { outer: "TTLS", inner: "PAP", asks: "User-Password" },
  { outer: "TTLS", inner: "CHAP", asks: "CHAP-Password" },
  { outer: "TTLS", inner: "MSCHAP", asks: "MS-CHAP-Response" },
  { outer: "TTLS", inner: "MSCHAPV2", asks: "MS-CHAP2-Response" },
  { outer: "PEAP", inner: "MSCHAPV2", asks: "MS-CHAP2-Response" },
] as const;
type Method = (typeof METHODS)[number];

async function users() {
  const hashed = await hashedPassword(PASSWORD);
  const nt = ntHash(Buffer.from(PASSWORD)).toString("hex");
  return [
    withPassword("nemo", PASSWORD),
    withPassword("gone", PASSWORD, { disabled: true }),
    withPassword("late", PASSWORD, { validUntilMs: 1_000 }),
    userRecord("ahab", { password: hashed }),
    userRecord("ned", { password: { kind: "nt-hash", secret: nt } }),
  ];
}

/** How eapol_test says that the S= of the hub is right. */
const PROVEN = {
  TTLS: /EAP-TTLS: Phase 2 MSCHAPV2 authentication succeeded/,
  PEAP: /EAP-MSCHAPV2: Authentication succeeded/,
};

/** One whole EAP conversation of a user, whose name only its tunnel shows. */
async function converse({ authPort, caFile }: EapTunnel, { outer, inner }: Method, name: string, password: string) {
  const file = join(await temporaryFolder(), "network.conf");
  await writeFile(
    file,
    `network={
  ssid="x"
  key_mgmt=WPA-EAP
  eap=${outer}
  anonymous_identity="${OUTER_IDENTITY}"
  identity="${name}"
  password="${password}"
  ca_cert="${caFile}"
  phase2="auth=${inner}"
}
`,
  );
  const words = ["-c", file, "-a", "127.0.0.1", "-p", String(authPort), "-s", NAS_SECRET, "-N", "32:s:nas-07"];
  const { output } = await runToEnd(findProgram("eapol_test") ?? "eapol_test", [...words, "-t", "20"]);
  return { output, verdict: output.trimEnd().split("\n").at(-1) };
}

/** What FreeRADIUS has asked the hub about a user: names of attributes. */
function askedOf({ freeradius, authPort }: EapTunnel, name: string): readonly string[] {
  const packets = freeradius.output.split(/^(?=\(\d+\) (?:Sent|Received) )/m);
  const toHub = packets.filter(
    (each) => /^\S+ Sent Access-Request /.test(each) && each.includes(`:${authPort} length`),
  );
  const asked = toHub.find((each) => each.includes(`User-Name = "${name}"`)) ?? "";
  return [...asked.matchAll(/^\(\d+\) {3}([\w-]+) :?= /gm)].map(([, attribute = ""]) => attribute);
}

/** Who logs in with the right password by which kept form; CHAP has to have the clear text, MS-CHAP that or the NT hash. */
const ADMITTED: Readonly<Record<Method["inner"], readonly string[]>> = {
  PAP: ["nemo", "ned", "ahab"],
  CHAP: ["nemo"],
  MSCHAP: ["nemo", "ned"],
  MSCHAPV2: ["nemo", "ned"],
};

describe.each(METHODS)("eapol_test with EAP-$outer and $inner inside, against users of the hub's store", (method) => {
  const { outer, inner, asks } = method;
  beforeEach((context) => needs(context, "freeradius", "eapol_test"));

  it("lets in who knows the password, with session keys that both ends share", async () => {
    const tunnel = await startEapTunnel(await users());
    for (const name of ADMITTED[inner]) {
      const { output, verdict } = await converse(tunnel, method, name, PASSWORD);
      expect(verdict, `${name}\n${tunnel.freeradius.output}`).toBe("SUCCESS");
      expect(output).toMatch(/MPPE keys OK: 1 {2}mismatch: 0/);
      // RFC 2759 Section 8.7: the peer goes on only if the hub has shown that it knows the password too.
      if (inner === "MSCHAPV2") expect(output).toMatch(PROVEN[outer]);
      expect(askedOf(tunnel, name)).toContain(asks);
    }
  });

  it("rejects a wrong password, and whoever is disabled, has expired, is not known or has no password of that kind", async () => {
    const tunnel = await startEapTunnel(await users());
    const refused = [
      ["nemo", `${PASSWORD}!`],
      ["gone", PASSWORD],
      ["late", PASSWORD],
      ["nobody", PASSWORD],
      ...["ned", "ahab"].filter((name) => !ADMITTED[inner].includes(name)).map((name) => [name, PASSWORD] as const),
    ] as const;
    const ended = refused.map(([name, password]) => converse(tunnel, method, name, password));
    for (const { output, verdict } of await Promise.all(ended)) {
      expect(verdict, tunnel.freeradius.output).toBe("FAILURE");
      expect(output).toContain("RADIUS message: code=3 (Access-Reject)");
      expect(output).not.toMatch(/Reply-Message|PASSWORD EXPIRED|account/);
    }
  });
});
