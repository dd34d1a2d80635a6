/** Routers that send Interim-Updates, in a process of their own, and remember when each was answered. */
import type { Credentials } from "../../pki/throw-away.ts";
import type { Attribute } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import { INTERVAL_SECONDS, interimAttributes, lastingAttributes } from "./accounting-interims.ts";
import { answerCommands } from "./bench-process.ts";
import { drive, LoadRouter, type Rhythm, type Seen, type Way } from "./load-router.ts";

export interface AccountingRouters extends Way {
  readonly links: number;
  /** One a link. */
  readonly certificates: readonly Credentials[];
  readonly secret: string;
  /** Acct sessions of all links together. */
  readonly acctSessions: number;
}

interface ReportedSession {
  readonly lasting: readonly Attribute[];
  seconds: number;
}

/** Acct sessions began so long ago: each Event-Timestamp is within what the hub believes. */
const BEGAN_BEFORE_MS = 20 * 3_600_000;
/** A whole minute, so that the Event-Timestamps are whole seconds. */
const beganAtMs = Math.floor((Date.now() - BEGAN_BEFORE_MS) / 60_000) * 60_000;

const routers: LoadRouter[] = [];
const sessions: ReportedSession[][] = [];
let secret: SharedSecret;

async function open(wanted: AccountingRouters): Promise<void> {
  secret = new SharedSecret(wanted.secret);
  for (let index = 0; index < wanted.links; index += 1) {
    const router = new LoadRouter();
    routers.push(router);
    sessions.push([]);
    if (wanted.transport === "tls") await router.dial(wanted, wanted.certificates[index] as Credentials);
    else await router.bind(wanted);
  }
  for (let acctSession = 0; acctSession < wanted.acctSessions; acctSession += 1) {
    const index = acctSession % routers.length;
    sessions[index]?.push({ lasting: lastingAttributes({ acctSession, nas: index + 1 }), seconds: 0 });
  }
}

/** The records of one router, its acct sessions in turn. */
function records(own: readonly ReportedSession[]): (identifier: number) => Buffer {
  let next = 0;
  return (identifier) => {
    const session = own[next % own.length] as ReportedSession;
    next += 1;
    session.seconds += INTERVAL_SECONDS;
    const attributes = interimAttributes(session.lasting, session.seconds, beganAtMs);
    return encodeRequest(CODE.accountingRequest, identifier, attributes, ZERO_AUTHENTICATOR, secret);
  };
}

async function driveRecords({ count, rhythm }: { readonly count: number; readonly rhythm: Rhythm }): Promise<Seen> {
  const each = Math.ceil(count / routers.length);
  for (const [index, router] of routers.entries()) router.prepare(each, records(sessions[index] ?? []));
  return drive(routers, each * routers.length, rhythm, CODE.accountingResponse);
}

const commands = { open, drive: driveRecords };
export type AccountingLoadCommands = typeof commands;
answerCommands(commands);
