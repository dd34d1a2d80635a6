import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { systemRandom } from "../../src/clock.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { findProgram, Program, runToEnd } from "../support/program.ts";
import { RunningHub } from "../support/running-hub.ts";

const openssl = findProgram("openssl") ?? "openssl";

/** What OpenSSL itself would no longer offer. */
const OLD = ["-cipher", "DEFAULT@SECLEVEL=0"];
const TICKET = /Post-Handshake New Session Ticket arrived/;

/** A hub, and the words that make `openssl s_client` dial it as a router. */
async function opened() {
  const hub = await RunningHub.start();
  const nas = await hub.hub.pki?.issueNas("edge-1");
  if (nas === undefined) throw new Error("the hub does not use its development PKI");
  const where = [
    "s_client",
    "-connect",
    `127.0.0.1:${hub.radsecPort}`,
    "-CAfile",
    hub.hub.pki?.ca.certificateFile ?? "",
  ];
  const router = [...where, "-verify_return_error", "-cert", nas.certificateFile, "-key", nas.keyFile];
  /** Makes a handshake and ends the connection; the verdict is the exit code of s_client. */
  const dial = async (...words: string[]) => {
    const { code, output } = await runToEnd(openssl, [...router, ...words], "Q\n");
    return { good: code === 0, output };
  };
  /** The suites that the hub takes of a list, in the order of its choice. */
  const suites = async (option: string, list: (without: readonly string[]) => string, ...words: string[]) => {
    const taken: string[] = [];
    for (;;) {
      const { good, output } = await dial(option, list(taken), ...words);
      const suite = output.match(/^New, TLSv1\.\d, Cipher is (\S+)$/m)?.[1];
      if (!good || suite === undefined) return taken;
      taken.push(suite);
    }
  };
  return { hub, where, router, dial, suites };
}

describe("openssl s_client at a running hub", () => {
  beforeEach((context) => {
    if (findProgram("openssl") === undefined) context.skip("openssl is not installed");
  });

  it("TLS-05 a router that can do TLS 1.2 and 1.3 lands on 1.3, and one that can do 1.2 alone is served", async () => {
    const { dial } = await opened();
    expect((await dial("-no_tls1", "-no_tls1_1")).output).toMatch(/^New, TLSv1\.3, /m);
    expect((await dial("-tls1_2")).output).toMatch(/^New, TLSv1\.2, /m);
  });

  it.each(["-tls1", "-tls1_1"])("TLS-05 %s is refused with protocol_version, and the log says so", async (version) => {
    const { hub, dial } = await opened();
    const { good, output } = await dial(version, ...OLD);
    expect(good).toBe(false);
    expect(output).toContain("alert protocol version");
    expect((await hub.event("handshake.refused")).reason).toBe("tls-version");
  });

  it.each(["-tls1_2", "-tls1_3"])(
    "TLS-08 without a certificate no octet of RADIUS is read over %s",
    async (version) => {
      const { hub, where } = await opened();
      const stranger = Program.start(openssl, [...where, version, "-quiet", "-no_ign_eof"]);
      expect((await hub.event("handshake.refused")).reason).toBe("no-certificate");
      await stranger.ended;
      expect(stranger.stdout).toBe("");
      expect(hub.eventsOf("link.up")).toEqual([]);
    },
  );

  it("TLS-06 takes forward-secret AEAD suites of TLS 1.2 and nothing else of all that OpenSSL knows", async () => {
    const { suites } = await opened();
    const all = (without: readonly string[]) =>
      ["ALL:COMPLEMENTOFALL", ...without.map((suite) => `!${suite}`), "@SECLEVEL=0"].join(":");
    expect(await suites("-cipher", all, "-tls1_2")).toEqual([
      "ECDHE-ECDSA-AES128-GCM-SHA256",
      "ECDHE-ECDSA-AES256-GCM-SHA384",
      "ECDHE-ECDSA-CHACHA20-POLY1305",
    ]);
  });

  it("TLS-06 takes the three full-strength suites of TLS 1.3, and not CCM", async () => {
    const { suites } = await opened();
    const known = ["AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256", "AES_128_GCM_SHA256", "AES_128_CCM_SHA256"];
    const all = [...known, "AES_128_CCM_8_SHA256"].map((name) => `TLS_${name}`);
    const without = (taken: readonly string[]) => all.filter((suite) => !taken.includes(suite)).join(":");
    expect(await suites("-ciphersuites", without, "-tls1_3")).toEqual(all.slice(0, 3));
  });

  it("TLS-07 compression stays off where the router asks for it", async () => {
    const { dial } = await opened();
    for (const version of ["-tls1_2", "-tls1_3"]) {
      expect((await dial(version, "-comp")).output).toMatch(/^Compression: NONE$/m);
    }
  });

  it("TLS-07 TLS-20 TLS-21 a ticket of TLS 1.3 allows no early data and resumes nothing", async () => {
    const { hub, router, dial } = await opened();
    const session = join(hub.folder, "tls-session.pem");
    const first = Program.start(openssl, [...router, "-tls1_3", "-sess_out", session]);
    await first.says(/Verify return code/);
    // OpenSSL holds tickets back until the hub has something to write.
    first.tell(encodeRequest(CODE.statusServer, 0, [], systemRandom.bytes(16), RADSEC_SECRET));
    await first.says(TICKET);
    expect((await first.says(/Max Early Data: (\d+)/))[1]).toBe("0");
    expect((await first.ended).code).toBe(0);
    const again = await dial("-tls1_3", "-sess_in", session);
    expect(again.output).toMatch(/^New, TLSv1\.3/m);
    expect(again.output).toContain("Early data was not sent");
    expect(again.output).not.toContain("Reused");
  });

  it("TLS-20 TLS-21 TLS 1.2 gives no ticket, and the identifier of its TLS session resumes nothing", async () => {
    const { hub, dial } = await opened();
    const session = join(hub.folder, "tls-session.pem");
    const first = await dial("-tls1_2", "-sess_out", session);
    expect(first.output).not.toContain("TLS session ticket");
    const again = await dial("-tls1_2", "-sess_in", session);
    expect(again.good).toBe(true);
    expect(again.output).toMatch(/^New, TLSv1\.2/m);
  });

  it("TLS-08 a router of TLS 1.2 that asks to renegotiate is not heard", async () => {
    const { router } = await opened();
    const { output } = await runToEnd(openssl, [...router, "-tls1_2"], "R\n");
    expect(output).toContain("RENEGOTIATING");
    expect(output).toContain("no renegotiation");
  });

  it.each([
    { offer: "radius/1.0", answer: "ALPN protocol: radius/1.0" },
    { offer: "radius/1.1,radius/1.0", answer: "ALPN protocol: radius/1.0" },
    { offer: "radius/9.9,radius/1.0", answer: "ALPN protocol: radius/1.0" },
    { offer: undefined, answer: "No ALPN negotiated" },
  ])("TLS-22 R11-03 an offer of $offer is answered with $answer", async ({ offer, answer }) => {
    const { dial } = await opened();
    const { good, output } = await dial(...(offer === undefined ? [] : ["-alpn", offer]));
    expect(good).toBe(true);
    expect(output).toContain(answer);
  });

  it.each(["radius/1.1", "http/1.1"])(
    "TLS-22 R11-03 %s alone is refused with no_application_protocol",
    async (offer) => {
      const { hub, dial } = await opened();
      const { good, output } = await dial("-alpn", offer);
      expect(good).toBe(false);
      expect(output).toContain("alert no application protocol");
      expect((await hub.event("handshake.refused")).reason).toBe("alpn");
    },
  );

  it.each([["-noservername"], ["-servername", "localhost"], ["-servername", "unknown.example"]])(
    "TLS-23 with %s %s the handshake works and the certificate is the hub's",
    async (...words) => {
      const { dial } = await opened();
      const { good, output } = await dial(...words);
      expect(good).toBe(true);
      expect(output).toMatch(/^subject=CN = radsec-hub$/m);
      expect(output).toContain("Verify return code: 0 (ok)");
    },
  );
});
