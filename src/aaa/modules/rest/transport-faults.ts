import type { BackEndResult } from "../../pipeline/back-ends.ts";

export interface Fault {
  readonly why: BackEndResult;
  /** Whether the request may have reached the back end. */
  readonly sent: boolean;
  /** "ECONNREFUSED" and the like, for the log; never a message, which could quote the request. */
  readonly code: string;
}

const NO_CONNECTION =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT)$/;
/** What node:tls says of certificates that it does not trust. */
const NOT_TRUSTED = /CERT|^ERR_TLS_|^ERR_SSL_|UNABLE_TO_|SELF_SIGNED|HOSTNAME_MISMATCH/;

/** What an error of a request over HTTP means. */
export function faultOf(error: unknown): Fault {
  const code = codeOf(error);
  if (NO_CONNECTION.test(code) || NOT_TRUSTED.test(code)) return { why: "unreachable", sent: false, code };
  if (code === "UND_ERR_RES_EXCEEDED_MAX_SIZE" || code === "UND_ERR_HEADERS_OVERFLOW") {
    return { why: "too-big", sent: true, code };
  }
  return { why: "reset", sent: true, code };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "error";
}
