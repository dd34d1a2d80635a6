import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { subjectAltNameEntries } from "./certificate-peer.ts";

/** Who a server has to prove to be. */
export interface ServerIdentity {
  /** Host name or IP address that its certificate must have as a SAN. */
  readonly serverName: string;
  /** Realm that its certificate must have as NAIRealm, in place of the name (TLS-24). */
  readonly naiRealm?: string | undefined;
}

/** How Node prints an id-on-naiRealm (RFC 7585 Section 2.2) among the names of a certificate. */
const NAI_REALM = "NAIRealm:";

/** What is wrong with a server's certificate, or undefined when it is the one that is wanted. Its path is validated already.
 *  A Common Name proves nothing (TLS-14); a wildcard stands for the whole left-most label only (TLS-15). */
export function serverIdentityFault(certificateDer: Buffer, wanted: ServerIdentity): string | undefined {
  const certificate = new X509Certificate(certificateDer);
  const names = certificate.subjectAltName ?? "";
  if (wanted.naiRealm !== undefined) {
    const realm = wanted.naiRealm.toLowerCase();
    if (naiRealms(names).some((offered) => covers(offered, realm))) return undefined;
    return `its certificate is not for realm ${realm}, its names are "${names}"`;
  }
  const { serverName } = wanted;
  const fits =
    isIP(serverName) === 0
      ? certificate.checkHost(serverName, { subject: "never", partialWildcards: false, multiLabelWildcards: false })
      : certificate.checkIP(serverName);
  return fits === undefined ? `its certificate is not for ${serverName}, its names are "${names}"` : undefined;
}

function naiRealms(names: string): string[] {
  return subjectAltNameEntries(names)
    .filter(([type, value]) => type === "othername" && value.startsWith(NAI_REALM))
    .map(([, value]) => value.slice(NAI_REALM.length).toLowerCase());
}

/** RFC 7585 Section 2.2: "*" as the whole left-most label stands for one label. */
function covers(offered: string, realm: string): boolean {
  if (!offered.startsWith("*.")) return offered === realm;
  const dot = realm.indexOf(".");
  return dot > 0 && realm.slice(dot) === offered.slice(1);
}
