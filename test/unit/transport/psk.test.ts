import type { TLSSocket } from "node:tls";
import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { systemRandom } from "../../../src/clock.ts";
import {
  identityFault,
  isCurrentPsk,
  judgePsk,
  PskKey,
  provenPsk,
  pskOctets,
  type PskCredential,
  type PskDirectory,
  type PskOffer,
} from "../../../src/transport/psk.ts";

const credential: PskCredential = { identity: "a", key: new PskKey(Buffer.alloc(32, 1)), tls: "TLSv1.3" };
const OFFER = { identity: "a", credential };
const UNKNOWN: PskOffer = { identity: "a", fault: { reason: "unknown-psk-identity", detail: "" } };

function directoryOf(now: PskCredential | undefined, open = true): PskDirectory {
  return { takesPskFrom: () => open, psk: () => now };
}

describe("provenPsk()", () => {
  const socket = (cipher: string, reused: boolean, certificate?: object) =>
    ({
      getCipher: () => ({ name: cipher }),
      isSessionReused: () => reused,
      getPeerX509Certificate: () => certificate,
    }) as unknown as TLSSocket;
  const of12 = { identity: "a", credential: { ...credential, tls: "TLSv1.2" as const } };
  const rows: readonly [string, PskOffer | undefined, TLSSocket, boolean][] = [
    ["a PSK of TLS 1.3", OFFER, socket("TLS_AES_128_GCM_SHA256", true), true],
    ["PSK-10 an offer that was not used", OFFER, socket("TLS_AES_128_GCM_SHA256", false), false],
    ["PSK-10 a suite that the key is not for", OFFER, socket("TLS_AES_256_GCM_SHA384", true), false],
    ["PSK-11 a session without an offer", undefined, socket("TLS_AES_128_GCM_SHA256", true), false],
    ["PSK-11 a session after an unknown identity", UNKNOWN, socket("TLS_AES_128_GCM_SHA256", true), false],
    ["PSK-11 a session of a certificate", OFFER, socket("TLS_AES_128_GCM_SHA256", true, {}), false],
    ["a PSK of TLS 1.2", of12, socket("ECDHE-PSK-CHACHA20-POLY1305", false), true],
    ["PSK-07 a suite without forward secrecy", of12, socket("PSK-AES128-GCM-SHA256", false), false],
    ["PSK-07 a suite whose key is that of the certificate", of12, socket("RSA-PSK-AES128-GCM-SHA256", false), false],
    ["a suite of certificates", of12, socket("ECDHE-ECDSA-AES128-GCM-SHA256", true), false],
  ];
  it.each(rows)("%s", (_what, offer, peer, proven) => {
    expect(provenPsk(offer, peer) !== undefined).toBe(proven);
  });
});

describe("isCurrentPsk()", () => {
  it.each([
    ["the same octets", { ...credential, key: new PskKey(Buffer.alloc(32, 1)) }, true],
    ["another key", { ...credential, key: new PskKey(Buffer.alloc(32, 2)) }, false],
    ["a longer key", { ...credential, key: new PskKey(Buffer.alloc(33, 1)) }, false],
    ["PSK-02 another version of TLS", { ...credential, tls: "TLSv1.2" as const }, false],
    ["no identity any more", undefined, false],
  ])("%s", (_what, now, current) => {
    expect(isCurrentPsk(credential, directoryOf(now), "::1")).toBe(current);
  });
});

describe("judgePsk() and pskOctets()", () => {
  const judged = (identity: string, directory = directoryOf(credential), version = "TLSv1.3") =>
    judgePsk(directory, identity, "::1", version);

  it("PSK-08 looks at the address before it looks at the identity", () => {
    const closed: PskDirectory = {
      takesPskFrom: () => false,
      psk: () => {
        throw new Error("looked up");
      },
    };
    expect(judged("a", closed)).toMatchObject({ fault: { reason: "not-in-clients" } });
    expect(judged("\0", closed)).toMatchObject({ fault: { reason: "not-in-clients" } });
  });

  it("PSK-06 looks up nothing that is malformed", () => {
    for (const identity of ["", "a\nb", "\ud800", "x".repeat(257)]) {
      expect(judged(identity)).toMatchObject({ fault: { reason: "unknown-psk-identity" } });
    }
    expect(judged("a")).toEqual(OFFER);
  });

  it("PSK-15 keeps what it says of a stranger short and printable", () => {
    const offer = judged(`\u001b]0;\u009b"\u202e\u{e0001}${"x".repeat(5_000)}`, directoryOf(undefined));
    const detail = "fault" in offer ? offer.fault.detail : "";
    expect(detail).toMatch(/^PSK identity "\\u001b\]0;\\u\{9b\}\\"\\u\{202e\}\\u\{e0001\}x+\.\.\." has/);
    expect(detail.length).toBeLessThan(400);
  });

  it("gives an unknown identity of TLS 1.2 a key that nobody has, and of TLS 1.3 its certificate", () => {
    const [first, second] = [1, 2].map(() => pskOctets(UNKNOWN, "TLSv1.2", systemRandom));
    expect(first).toHaveLength(16);
    expect(first).not.toEqual(second);
    expect(pskOctets(UNKNOWN, "TLSv1.3", systemRandom)).toBeNull();
    expect(pskOctets(OFFER, "TLSv1.3", systemRandom)).toEqual(credential.key.octets);
  });
});

describe("identityFault() and PskKey", () => {
  it.each(["a", "x".repeat(256), "é".repeat(128), "shop-7@nas.example", "日本語"])("PSK-05 takes %s", (identity) => {
    expect(identityFault(identity)).toBeUndefined();
  });

  it("a key never shows itself", () => {
    expect(JSON.stringify({ credential }) + inspect(credential)).toMatch(/"\[psk\]".*\[psk\]/s);
    expect(inspect(credential, { depth: 9 })).not.toContain("01 01");
  });
});
