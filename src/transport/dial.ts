import { isIP } from "node:net";
import { connect, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../clock.ts";
import { chainFault } from "./node-errors.ts";
import type { PskCredential } from "./psk.ts";
import { type ServerIdentity, serverIdentityFault } from "./server-identity.ts";

/** Where a RADIUS/TLS server is, and what it must prove. */
export interface DialOptions extends ServerIdentity {
  readonly host: string;
  readonly port: number;
  readonly secureContext: SecureContext;
  /** What both sides prove themselves by in place of certificates; the context has no CA then. */
  readonly psk?: Pick<PskCredential, "identity" | "key"> | undefined;
  /** From the first octet to the end of the handshake. */
  readonly timeoutMs: number;
  /** Whether the address that was reached is this very hub (TLS-25). */
  readonly isSelf: (address: string, port: number) => boolean;
}

export type DialResult =
  | { readonly kind: "connected"; readonly socket: TLSSocket }
  /** One line for the operator. */
  | { readonly kind: "failed"; readonly detail: string };

const ALPN_PROTOCOLS = ["radius/1.0"];
/** Idle time before TCP asks whether the server is still there (CON-21). */
const KEEP_ALIVE_MS = 15_000;

/** Makes one attempt to reach a server; `done` is called once.
 *  @returns a function that gives the attempt up */
export function dial(options: DialOptions, clock: Clock, done: (result: DialResult) => void): () => void {
  const { host, port, secureContext, psk, serverName, timeoutMs, isSelf } = options;
  const socket = connect({
    host,
    port,
    secureContext,
    ALPNProtocols: ALPN_PROTOCOLS,
    ...(psk === undefined ? {} : { pskCallback: () => ({ identity: psk.identity, psk: psk.key.octets }) }),
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}), // RFC 6066 Section 3: no address in SNI
    checkServerIdentity: (_, { raw }: { raw?: Buffer }) => {
      // Node asks in TLS 1.2 only; without the key there is no connection.
      if (raw === undefined && psk !== undefined) return undefined;
      const fault = raw === undefined ? "it shows no certificate" : serverIdentityFault(raw, options);
      return fault === undefined ? undefined : new Error(fault);
    },
  });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  let detail: string | undefined;
  const giveUp = (why: string): void => {
    detail ??= why;
    socket.destroy();
  };
  const cancelTimeout = clock.after(timeoutMs, () => giveUp(`no TLS connection within ${timeoutMs / 1_000} s`));
  const failed = (error: NodeJS.ErrnoException): void => {
    detail ??= faultOf(error);
  };
  const gone = (): void => {
    cancelTimeout();
    done({ kind: "failed", detail: detail ?? "closed during the handshake" });
  };
  socket.on("error", failed);
  socket.once("close", gone);
  socket.once("connect", () => {
    if (isSelf(socket.remoteAddress ?? "", socket.remotePort ?? 0)) giveUp("it is this hub itself"); // TLS-25
  });
  socket.once("secureConnect", () => {
    cancelTimeout();
    socket.off("error", failed);
    socket.off("close", gone);
    done({ kind: "connected", socket });
  });
  return () => giveUp("stopped");
}

function faultOf({ code, message }: NodeJS.ErrnoException): string {
  if (code === undefined) return message;
  const chain = chainFault(code);
  return chain === "bad-certificate" ? code : `its certificate is not accepted: ${chain} (${code})`;
}
