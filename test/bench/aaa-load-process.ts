/** Routers that log users in, or send Status-Servers, in a process of their own. */
import { randomBytes } from "node:crypto";
import type { Credentials } from "../../pki/throw-away.ts";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { AUTHENTICATOR_BYTES } from "../../src/radius/packet.ts";
import { answerCommands } from "./bench-process.ts";
import { drive, LoadRouter, type Rhythm, type Seen, type Way } from "./load-router.ts";
import { nasName } from "./nas-name.ts";

export interface AaaRouters extends Way {
  readonly certificate: Credentials;
  readonly secret: string;
}

export interface AaaLoad {
  readonly what: "login" | "status";
  readonly count: number;
  readonly rhythm: Rhythm;
  /** In turn; with the same password. */
  readonly usernames: readonly string[];
  readonly password: string;
  /** Of the replies; default Access-Accept. */
  readonly expected?: number;
}

const CALLED_STATION_ID = "00-11-22-33-44-55:Guest";

const router = new LoadRouter();
let secret: SharedSecret;

async function open(wanted: AaaRouters): Promise<void> {
  secret = new SharedSecret(wanted.secret);
  if (wanted.transport === "tls") await router.dial(wanted, wanted.certificate);
  else await router.bind(wanted);
}

const nas = textAttribute(ATTRIBUTE.nasIdentifier, nasName(1));

function statusServer(identifier: number): Buffer {
  return encodeRequest(CODE.statusServer, identifier, [nas], randomBytes(AUTHENTICATOR_BYTES), secret);
}

/** What a hotspot sends: who, from which device, over which access point. */
function logins(usernames: readonly string[], password: string): (identifier: number) => Buffer {
  let next = 0;
  return (identifier) => {
    const user = next % usernames.length;
    next += 1;
    const seed = randomBytes(AUTHENTICATOR_BYTES);
    const attributes = [
      textAttribute(ATTRIBUTE.userName, usernames[user] ?? ""),
      { type: ATTRIBUTE.userPassword, value: hideUserPassword(Buffer.from(password), secret, seed) },
      nas,
      textAttribute(ATTRIBUTE.callingStationId, `AA-BB-CC-00-00-${user.toString(16).padStart(2, "0").toUpperCase()}`),
      textAttribute(ATTRIBUTE.calledStationId, CALLED_STATION_ID),
    ];
    return encodeRequest(CODE.accessRequest, identifier, attributes, seed, secret);
  };
}

async function driveLoad({ what, count, rhythm, usernames, password, expected }: AaaLoad): Promise<Seen> {
  router.prepare(count, what === "status" ? statusServer : logins(usernames, password));
  return drive([router], count, rhythm, expected ?? CODE.accessAccept);
}

const commands = { open, drive: driveLoad };
export type AaaLoadCommands = typeof commands;
answerCommands(commands);
