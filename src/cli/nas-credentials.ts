import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type DevelopmentPki, openPki } from "../../pki/development.ts";
import { type Clock, systemClock } from "../clock.ts";
import { HubError } from "../errors.ts";
import type { NasCertificate, NasCredentials } from "../nas/nas-simulator.ts";
import { identityFault, PskKey } from "../transport/psk.ts";
import type { CommandContext } from "./command.ts";
import { readNamedFile } from "./named-file.ts";
import { PKI_FOLDER } from "./pki.ts";

/** What simulated routers prove themselves by: --psk or --ca, --cert and --key for all, or a certificate each from the development
 *  PKI.
 *  @throws {HubError} ERR_INPUT when there is neither */
export async function credentialSource(
  context: CommandContext,
): Promise<(nasIdentifier: string) => Promise<NasCredentials>> {
  const { io, options, complain } = context;
  const psk = options.text("psk");
  if (psk !== undefined) return () => Promise.resolve({ psk: parsePsk(psk) });
  const serverName = options.text("server-name");
  const [ca, certificate, key] = ["ca", "cert", "key"].map((option) => options.text(option));
  if (ca !== undefined && certificate !== undefined && key !== undefined) {
    const credentials = {
      ca: readNamedFile(io.cwd, ca),
      certificate: readNamedFile(io.cwd, certificate),
      key: readNamedFile(io.cwd, key),
      serverName,
    };
    return () => Promise.resolve(credentials);
  }
  if (ca !== undefined || certificate !== undefined || key !== undefined) {
    throw new HubError("ERR_INPUT", "--ca, --cert and --key go together");
  }
  const named = options.text("pki") ?? PKI_FOLDER;
  const folder = resolve(io.cwd, named);
  if (!existsSync(join(folder, "ca"))) {
    throw new HubError("ERR_INPUT", `there is no development PKI in ${named}: give --ca, --cert and --key, or --pki`);
  }
  const clock = io.clock ?? systemClock;
  const pki = await openPki(folder, { clock });
  return async (nasIdentifier) => ({ ...(await issuedOrKept(pki, nasIdentifier, clock, complain)), serverName });
}

/** What was issued to the router earlier, while it lasts: a name keeps its certificate from run to run. */
async function issuedOrKept(
  pki: DevelopmentPki,
  nasIdentifier: string,
  clock: Clock,
  complain: (line: string) => void,
): Promise<Omit<NasCertificate, "serverName">> {
  const issue = async (force: boolean) => {
    const { caPem, certificatePem, keyPem, certificateFile } = await pki.issueNas(nasIdentifier, { force });
    complain(`${nasIdentifier}: the development PKI issued ${certificateFile}`);
    return { ca: caPem, certificate: certificatePem, key: keyPem };
  };
  try {
    return await issue(false);
  } catch (error) {
    const folder = error instanceof HubError && error.code === "ERR_PKI" ? error.details["file"] : undefined;
    if (typeof folder !== "string" || !existsSync(join(folder, "key.pem"))) throw error;
    const certificate = readNamedFile(folder, "certificate.pem");
    if (new X509Certificate(certificate).validToDate.getTime() <= clock.wallMs()) return await issue(true);
    return { ca: pki.ca.certificatePem, certificate, key: readNamedFile(folder, "key.pem") };
  }
}

/** "edge-1@example.net:00112233..." @throws {HubError} ERR_INPUT, ERR_SECRET; the message never holds the key */
function parsePsk(text: string): { identity: string; key: PskKey } {
  const [, identity, hex] = /^(.*):((?:[0-9a-f]{2})+)$/is.exec(text) ?? [];
  if (identity === undefined || hex === undefined) {
    throw new HubError("ERR_INPUT", "--psk must be written IDENTITY:KEY, the key in hexadecimal digits");
  }
  const fault = identityFault(identity);
  if (fault !== undefined) throw new HubError("ERR_INPUT", `the identity of --psk ${fault}`);
  return { identity, key: new PskKey(Buffer.from(hex, "hex")) };
}
