import { describe, expect, it } from "vitest";
import { chainFault, handshakeFault, listenError } from "../../../src/transport/node-errors.ts";
import { REFUSAL_REASONS } from "../../../src/transport/refusal.ts";

function coded(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error("x"), { code });
}

describe("handshakeFault()", () => {
  it.each([
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "peer-alert", "tlsv1 alert unknown ca"],
    ["ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_UNKNOWN", "peer-alert", "ssl/tls alert certificate unknown"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls-version", "unsupported protocol"],
    ["ERR_SSL_SOMETHING_NEW", "tls-error", "something new"],
    ["ECONNRESET", "reset", "econnreset"],
  ])("%s is %s", (code, reason, detail) => expect(handshakeFault(coded(code))).toEqual({ reason, detail }));
});

describe("chainFault()", () => {
  it("TLS-09 knows no fault of a chain that is not a refusal", () => {
    for (const code of ["CERT_REVOKED", "CERT_CHAIN_TOO_LONG", "SOMETHING_NEW"]) {
      expect(REFUSAL_REASONS).toContain(chainFault(code));
    }
    expect(chainFault("SOMETHING_NEW")).toBe("bad-certificate");
  });
});

describe("listenError()", () => {
  it.each([
    ["EADDRINUSE", "::1", "main can not listen on [::1]:2083: the port is in use by another process"],
    [
      "EACCES",
      "0.0.0.0",
      "main can not listen on 0.0.0.0:2083: a port below 1024 needs a permission that this process does not have",
    ],
    ["EIO", "0.0.0.0", "main can not listen on 0.0.0.0:2083: x"],
  ])("%s is one line", (code, address, message) => {
    expect(listenError("main", address, 2_083, coded(code))).toMatchObject({ code: "ERR_LISTEN", message });
  });
});
