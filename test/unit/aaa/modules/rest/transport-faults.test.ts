import { describe, expect, it } from "vitest";
import { faultOf } from "../../../../../src/aaa/modules/rest/transport-faults.ts";

const failed = (code: string) => Object.assign(new Error("Bearer a-token"), { code });

describe("faultOf()", () => {
  it.each([
    ["ECONNREFUSED", "unreachable", false],
    ["ENOTFOUND", "unreachable", false],
    ["UND_ERR_CONNECT_TIMEOUT", "unreachable", false],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "unreachable", false],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "unreachable", false],
    ["CERT_HAS_EXPIRED", "unreachable", false],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "unreachable", false],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "unreachable", false],
    ["UND_ERR_RES_EXCEEDED_MAX_SIZE", "too-big", true],
    ["UND_ERR_HEADERS_OVERFLOW", "too-big", true],
    ["ECONNRESET", "reset", true],
    ["UND_ERR_SOCKET", "reset", true],
    ["HPE_INVALID_CONSTANT", "reset", true],
  ] as const)("%s is %s, perhaps sent: %s", (code, why, sent) => {
    expect(faultOf(failed(code))).toEqual({ why, sent, code });
  });

  it("says nothing of an error that it does not know", () => {
    expect(faultOf(new Error("Bearer a-token"))).toEqual({ why: "reset", sent: true, code: "error" });
  });
});
