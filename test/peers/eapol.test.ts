import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { ENTRANCES, ROUTER_SECRET } from "../support/entrances.ts";
import { HOME_USER, type HomeServer, needs, startHomeServer } from "../support/freeradius.ts";
import { findProgram, runToEnd } from "../support/program.ts";

const eapolTest = findProgram("eapol_test") ?? "eapol_test";

const METHODS = [
  { method: "PEAP", words: 'eap=PEAP\n  phase1="peaplabel=0"\n  phase2="auth=MSCHAPV2"' },
  { method: "TTLS", words: 'eap=TTLS\n  phase2="auth=MSCHAPV2"' },
  { method: "TTLS", words: 'eap=TTLS\n  phase2="auth=PAP"' },
] as const;

const CASES = ENTRANCES.flatMap((way) => METHODS.map((each) => ({ ...way, ...each, inner: innerOf(each.words) })));

function innerOf(words: string): string {
  return /auth=(\w+)/.exec(words)?.[1] ?? "";
}

/** One whole EAP conversation, as the router of a user: eapol_test checks the session keys that come with the Accept. */
async function converse(port: number, { caFile }: HomeServer, words: string, password: string): Promise<string> {
  const file = join(dirname(caFile), "network.conf");
  const { name } = HOME_USER;
  const network = `network={\n  ssid="x"\n  key_mgmt=WPA-EAP\n  identity="${name}"\n  password="${password}"`;
  await writeFile(file, `${network}\n  ca_cert="${caFile}"\n  ${words}\n}\n`);
  const nas = ["-N", "32:s:nas-07"];
  const peer = ["-a", "127.0.0.1", "-p", String(port), "-s", ROUTER_SECRET];
  return (await runToEnd(eapolTest, ["-c", file, ...peer, ...nas, "-t", "10"])).output;
}

describe("eapol_test through a running hub to FreeRADIUS", () => {
  beforeEach((context) => needs(context, "freeradius", "eapol_test", "radsecproxy"));

  it.each(CASES)(
    "CRY-12 CRY-15 EAP-$method with $inner over $over: Accept, with session keys that both ends share",
    async (each) => {
      const { entrance, words } = each;
      const home = await startHomeServer(each.home);
      const output = await converse((await entrance(home)).authPort, home, words, HOME_USER.password);
      expect(output.split("\n").at(-2)).toBe("SUCCESS");
      expect(output).toMatch(/MPPE keys OK: 1 {2}mismatch: 0/);
    },
  );

  it.each(CASES.filter(({ method }) => method === "PEAP"))(
    "EAP-PEAP with a wrong password over $over: Reject",
    async (each) => {
      const home = await startHomeServer(each.home);
      const output = await converse((await each.entrance(home)).authPort, home, each.words, "wrong");
      expect(output).toContain("RADIUS message: code=3 (Access-Reject)");
      expect(output.split("\n").at(-2)).toBe("FAILURE");
    },
  );
});
