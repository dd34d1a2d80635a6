import { describe, expect, it } from "vitest";
import type { AccountingRecord, AcctSessionFacts } from "../../../../src/store/accounting-record.ts";
import type { AcctSession } from "../../../../src/store/acct-session.ts";
import { type Complete, packRecords, unpackRecords } from "../../../../src/store/sqlite/packed-records.ts";
import { packResults, unpackResults } from "../../../../src/store/sqlite/packed-results.ts";
import type { RecordResult } from "../../../../src/store/types.ts";

const FACTS: Complete<AcctSessionFacts> = {
  callingStationId: "AA-BB",
  calledStationId: "CC:Guest",
  framedIp: "10.0.0.7",
  framedIpv6Address: "2001:db8::7",
  framedIpv6Prefix: "2001:db8::/64",
  delegatedIpv6Prefix: "2001:db8:1::/56",
  framedInterfaceId: "0011",
  nasIdentifier: "nas-1",
  nasAddress: "192.0.2.1",
  nasPort: 7,
  nasPortId: "wlan1",
  multiSessionId: "m",
  class: "aabb",
  chargeableUserIdentity: "cui",
  operatorName: "1visited.example",
  operatorNasIdentifier: "0a1b2c",
  linkId: "n1-1",
  peerKey: "san:dns:nas-1",
  client: "routers",
  listener: "radsec",
  address: "192.0.2.9",
  told: '{"realm":"x"}',
};
const RECORD: Complete<AccountingRecord> = {
  kind: "stop",
  nasKey: "nas-1",
  acctSessionId: "0001",
  arrivedAtMs: 1_763_812_800_123,
  eventAtMs: 1_763_812_800_000,
  delaySeconds: 1,
  sessionSeconds: 2,
  input: { octets: 3, gigawords: 4 },
  output: { octets: 5, gigawords: 6 },
  swapped: true,
  username: "älice\u{1f600}",
  terminateCause: 8,
  staleAfterMs: 9,
  reopens: true,
  facts: FACTS,
};
const ACCT_SESSION: Complete<AcctSession> = {
  key: "nas-1/0001#2",
  nasKey: "nas-1",
  acctSessionId: "0001",
  generation: 2,
  username: "alice",
  open: false,
  closeCause: "stop",
  closedAtMs: 1,
  terminateCause: 3,
  startedAtMs: 4,
  countedAtMs: 5,
  heardAtMs: 6,
  staleAfterMs: 7,
  sessionSeconds: 8,
  uploadOctets: 9,
  downloadOctets: 10,
  gigawordsSeen: true,
  startSeen: false,
  usernames: 11,
  facts: FACTS,
};
const ADDED = { uploadOctets: 1, downloadOctets: 2, seconds: 3 };
const RESULT: RecordResult = { effect: "updated", acctSession: ACCT_SESSION, added: ADDED, closedKeys: [] };
const ON: RecordResult = { effect: "nas", acctSession: undefined, added: ADDED, closedKeys: ["nas-1/0001"] };

describe("packed records and results", () => {
  it("records are what they were, with every property and with as few as there can be", () => {
    const bare: AccountingRecord = {
      kind: "on",
      nasKey: "nas-2",
      acctSessionId: "",
      arrivedAtMs: 1,
      input: { octets: 0 },
      staleAfterMs: 2,
      facts: {},
    };
    expect(unpackRecords(structuredClone(packRecords([RECORD, bare, RECORD])))).toEqual([RECORD, bare, RECORD]);
  });

  it("results are what they were, also where one has no acct session", () => {
    const results = [RESULT, ON, RESULT];
    expect(unpackResults(structuredClone(packResults(results, "full")), "full")).toEqual(results);
  });

  it("results in brief name no acct session", () => {
    const results = [RESULT, ON, RESULT];
    expect(unpackResults(structuredClone(packResults(results, "brief")), "brief")).toEqual(
      results.map((result) => ({ ...result, acctSession: undefined })),
    );
  });
});
