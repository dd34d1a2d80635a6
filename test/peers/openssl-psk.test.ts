import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { findProgram, Program } from "../support/program.ts";
import { PSK } from "../support/psk-routers.ts";
import { RunningHub } from "../support/running-hub.ts";

const openssl = findProgram("openssl") ?? "openssl";
const OTHER = Buffer.alloc(32, 1).toString("hex");
const KEYS = { "-tls1_2": OTHER, "-tls1_3": PSK.toString("hex") } as const;
const VERSIONS = ["-tls1_2", "-tls1_3"] as const;
const CLIENTS = `clients:
  - name: psk
    match:
      psk:
        - { identity: edge-tls1_3, key: "hex:${KEYS["-tls1_3"]}" }
        - { identity: edge-tls1_2, key: "hex:${KEYS["-tls1_2"]}", tls: TLSv1.2 }`;

const pskWords = (identity: string, key: string) => ["-psk_identity", identity, "-psk", key];

async function opened() {
  const hub = await RunningHub.start({ yaml: CLIENTS });
  const dial = (identity: string, key: string, ...words: string[]) =>
    Program.start(openssl, [
      "s_client",
      "-connect",
      `127.0.0.1:${hub.radsecPort}`,
      ...pskWords(identity, key),
      ...words,
    ]);
  return { hub, dial };
}

function tellStatus(router: Program): void {
  router.tell(encodeRequest(CODE.statusServer, 0, [], systemRandom.bytes(16), RADSEC_SECRET));
}

describe("openssl s_client with a PSK at a running hub", () => {
  beforeEach((context) => {
    if (findProgram("openssl") === undefined) context.skip("openssl is not installed");
  });

  it.each(VERSIONS)(
    "PSK-01 PSK-07 opens a link over %s with forward secrecy, whatever else it offers",
    async (version) => {
      const { hub, dial } = await opened();
      const router = dial(`edge${version}`, KEYS[version], version);
      const up = await hub.event("link.up");
      expect(up).toMatchObject({ client: "psk", peer: `edge${version}` });
      expect(up.protocol).toMatch(version === "-tls1_2" ? / ECDHE-PSK-CHACHA20-POLY1305$/ : /^TLSv1\.3 /);
      await router.says(/^Server Temp Key: /m);
      expect(router.output).not.toContain("BEGIN CERTIFICATE");
    },
  );

  it("PSK-12 a ticket lives for less than a week", async () => {
    const { dial } = await opened();
    const router = dial("edge-tls1_3", KEYS["-tls1_3"], "-tls1_3");
    await router.says(/^Server Temp Key: /m);
    tellStatus(router); // OpenSSL holds tickets back until the hub has something to write
    const [, seconds] = await router.says(/ticket lifetime hint: (\d+) \(seconds\)/);
    expect(Number(seconds)).toBeLessThan(604_800);
  });

  it.each(VERSIONS)("PSK-10 refuses a wrong key over %s before any octet of RADIUS", async (version) => {
    const { hub, dial } = await opened();
    const router = dial(`edge${version}`, "99".repeat(32), version, "-quiet", "-no_ign_eof");
    expect((await hub.event("handshake.refused")).reason).toBe("wrong-psk");
    await router.ended;
    expect(router.stdout).toBe("");
    expect(hub.eventsOf("link.up")).toEqual([]);
  });

  it("PSK-02 refuses the key of TLS 1.3 over TLS 1.2", async () => {
    const { hub, dial } = await opened();
    await dial("edge-tls1_3", KEYS["-tls1_3"], "-tls1_2").ended;
    expect(await hub.event("handshake.refused")).toMatchObject({ reason: "tls-version" });
  });
});
