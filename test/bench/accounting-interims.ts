import { ATTRIBUTE, type Attribute, integerAttribute, textAttribute } from "../../src/radius/attribute.ts";
import type { AccountingRecord } from "../../src/store/accounting-record.ts";
import { nasName } from "./nas-name.ts";

/** Users of the acct sessions, in turn. */
const USERS = 2_000;
/** Octets a second. */
const UPLOAD = 1_000;
const DOWNLOAD = 9_000;
/** Between two records of an acct session. */
export const INTERVAL_SECONDS = 60;
/** What one record adds to the upload of its user. */
export const UPLOAD_EACH = UPLOAD * INTERVAL_SECONDS;
const ACCT = { inputOctets: 42, outputOctets: 43, sessionTime: 46, inputGigawords: 52, outputGigawords: 53 } as const;
const INTERIM = 3;

/** An acct session of the benchmark: the same as a record for the store and as a packet for the hub. */
export interface BenchSession {
  readonly acctSession: number;
  /** Number of its NAS. */
  readonly nas: number;
}

interface Names {
  readonly nasIdentifier: string;
  readonly acctSessionId: string;
  readonly username: string;
  readonly callingStationId: string;
  readonly framedIp: string;
}

const CALLED_STATION_ID = "00-11-22-33-44-55:Guest";
const NAS_PORT_ID = "wlan1";

function namesOf({ acctSession, nas }: BenchSession): Names {
  const octets = [16, 8, 0].map((shift) => (acctSession >> shift) & 255);
  return {
    nasIdentifier: nasName(nas),
    acctSessionId: acctSession.toString(16).padStart(8, "0"),
    username: `user-${acctSession % USERS}@example.org`,
    callingStationId: `AA-BB-CC-${octets.map((octet) => octet.toString(16).toUpperCase().padStart(2, "0")).join("-")}`,
    framedIp: `10.${octets.join(".")}`,
  };
}

/** Its Interim-Update of so many seconds, as the hub reads it. @param beganAtMs when all acct sessions began */
export function interimRecord(session: BenchSession, seconds: number, beganAtMs: number): AccountingRecord {
  const { nasIdentifier, acctSessionId, username, callingStationId, framedIp } = namesOf(session);
  return {
    kind: "interim",
    nasKey: nasIdentifier,
    acctSessionId,
    arrivedAtMs: beganAtMs + seconds * 1_000,
    eventAtMs: beganAtMs + seconds * 1_000,
    sessionSeconds: seconds,
    input: { octets: (seconds * UPLOAD) >>> 0, gigawords: Math.floor((seconds * UPLOAD) / 2 ** 32) },
    output: { octets: (seconds * DOWNLOAD) >>> 0, gigawords: Math.floor((seconds * DOWNLOAD) / 2 ** 32) },
    username,
    staleAfterMs: 900_000,
    facts: {
      callingStationId,
      calledStationId: CALLED_STATION_ID,
      framedIp,
      nasIdentifier,
      nasPortId: NAS_PORT_ID,
      linkId: `n1-${session.nas}`,
      peerKey: `san:dns:${nasIdentifier}`,
      client: "routers",
      listener: "radsec-1",
      address: "127.0.0.1",
    },
  };
}

/** The attributes of a session that never change: the same for each of its records. */
export function lastingAttributes(session: BenchSession): readonly Attribute[] {
  const { nasIdentifier, acctSessionId, username, callingStationId, framedIp } = namesOf(session);
  return [
    integerAttribute(ATTRIBUTE.acctStatusType, INTERIM),
    textAttribute(ATTRIBUTE.userName, username),
    textAttribute(ATTRIBUTE.nasIdentifier, nasIdentifier),
    textAttribute(ATTRIBUTE.nasPortId, NAS_PORT_ID),
    textAttribute(ATTRIBUTE.callingStationId, callingStationId),
    textAttribute(ATTRIBUTE.calledStationId, CALLED_STATION_ID),
    { type: ATTRIBUTE.framedIpAddress, value: Buffer.from(framedIp.split(".").map(Number)) },
    textAttribute(ATTRIBUTE.acctSessionId, acctSessionId),
  ];
}

/** Its Interim-Update of so many seconds, as a router sends it. */
export function interimAttributes(
  lasting: readonly Attribute[],
  seconds: number,
  beganAtMs: number,
): readonly Attribute[] {
  return [
    ...lasting,
    integerAttribute(ATTRIBUTE.eventTimestamp, beganAtMs / 1_000 + seconds),
    integerAttribute(ACCT.sessionTime, seconds),
    integerAttribute(ACCT.inputOctets, (seconds * UPLOAD) >>> 0),
    integerAttribute(ACCT.inputGigawords, Math.floor((seconds * UPLOAD) / 2 ** 32)),
    integerAttribute(ACCT.outputOctets, (seconds * DOWNLOAD) >>> 0),
    integerAttribute(ACCT.outputGigawords, Math.floor((seconds * DOWNLOAD) / 2 ** 32)),
  ];
}

/** Records of so many acct sessions in turn, for ever; they move on by a minute each round. */
export function* interimRecords(
  acctSessions: number,
  nases: number,
  beganAtMs: number,
): Generator<AccountingRecord, never> {
  for (let seconds = INTERVAL_SECONDS; ; seconds += INTERVAL_SECONDS) {
    for (let acctSession = 0; acctSession < acctSessions; acctSession += 1) {
      yield interimRecord({ acctSession, nas: 1 + (acctSession % nases) }, seconds, beganAtMs);
    }
  }
}
