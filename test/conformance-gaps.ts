/** Lines of the conformance list (sections 1-12) that no test names, each with the reason. conformance.test.ts fails when a
 *  line is in neither place, when a test names one of these, and when ARCHITECTURE.md shows another table. */
export const GAPS: Readonly<Record<string, string>> = {
  "TLS-03": "Node has no DTLS; RFC 6614 alone asks for TLS only",
  "TLS-16": "certificate policies are not matched: `admitEvery` authorises by issuer, and says so in hub.yaml",
  "TLS-26": "Node has no KeyUpdate and a link has no greatest age; an operator can close one",
  "ST-19": "RFC 7930 (larger packets) is not implemented",
  "RC-16": "Identifiers are spread, least recently used first, but more than 255 requests in 300 s are not paced",
};

/** Lines that tests name and that are kept in part only: what is missing. */
export const PARTS: Readonly<Record<string, string>> = {
  "TLS-18": "the alert is not access_denied(49): Node chooses it",
  "TLS-20": "sessions are not resumed at all, which the rule allows",
  "TLS-23": "a listener has one certificate, and an unknown name is served, not refused with unrecognized_name(112)",
  "PSK-06":
    "OpenSSL cuts an identity at a NUL before the hub sees it, and Node hides one that is no UTF-8: refused without its name",
  "IDX-09": "a realm that a proxy puts in place of a NAS-Identifier is not told from one: it leads to that proxy",
  "CON-20": "TCP_NODELAY is on by default (Decisions); `noDelay: false` keeps the rule",
  "UL-05": "asked over UDP and TCP; over TLS the certificate says who it is, so a request may leave its NAS out",
  "UL-11":
    "asked before anything over UDP and TCP; over TLS by the store alone, so a hub that only forwards leaves it to the upstream",
  "UL-13":
    "120 s by default, as hotspots are used to, where 600 are advised; an operator's own `attr-filter` is not judged",
  "UL-16": "MS-CHAP-Error stays in an Access-Reject as well (RFC 2548 Section 2.1.5)",
  "BR-11": "holds for the hub's own replies; an upstream's is passed on as it is",
};

/** Whole families of later sections, which no test has to name yet. */
export const LATER: Readonly<Record<string, string>> = {
  LP: "RFC 7930 is not implemented: more than 4,096 octets end a link (CON-04)",
  R11: "RADIUS/1.1 is not implemented: ALPN radius/1.1 alone is refused (TLS-22)",
};
