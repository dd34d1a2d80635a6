import { HubError } from "../errors.ts";
import type { AcctSessionFacts } from "../nas/acct-sessions.ts";
import { parsePair } from "./command.ts";

export const ACCT_SESSION_SYNTAX = "user=NAME;id=ACCT-SESSION-ID[;mac=CALLING-STATION-ID][;ip=FRAMED-IP]";

const KEYS: ReadonlySet<string> = new Set(["user", "id", "mac", "ip"]);

/** Parses "user=alice;id=81a2;mac=02-00-5E-00-53-01;ip=10.0.0.7".
 *  @throws {HubError} ERR_INPUT */
export function parseAcctSession(text: string): AcctSessionFacts {
  const pairs = text.split(";").map((part) => parsePair(part, "acct-session"));
  const facts = new Map(pairs);
  const unknown = pairs.find(([key]) => !KEYS.has(key));
  const username = facts.get("user");
  const acctSessionId = facts.get("id");
  if (unknown !== undefined || pairs.length > facts.size || !username || !acctSessionId) {
    throw new HubError("ERR_INPUT", `--acct-session must be written ${ACCT_SESSION_SYNTAX}`, { text });
  }
  return { username, acctSessionId, callingStationId: facts.get("mac"), framedIp: facts.get("ip") };
}
