import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { type DevelopmentPki, openPki } from "../../pki/development.ts";
import { type Clock, systemClock } from "../clock.ts";
import { HubError } from "../errors.ts";
import type { NasCredentials } from "../nas/nas-simulator.ts";
import type { CommandContext } from "./command.ts";
import { readNamedFile } from "./named-file.ts";
import { PKI_FOLDER } from "./pki.ts";

/** Where simulated routers get their certificates: one of --ca, --cert and --key for all, or one each from the development PKI.
 *  @throws {HubError} ERR_INPUT when there is neither */
export async function credentialSource(
  context: CommandContext,
): Promise<(nasIdentifier: string) => Promise<NasCredentials>> {
  const { io, options, complain } = context;
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
): Promise<Omit<NasCredentials, "serverName">> {
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
