import type { AaaRequest, ModuleServices, ReturnCode } from "../pipeline/types.ts";
import type { GuessAttempt } from "../users/types.ts";

/** How a look at a password ended; "stranger": nothing was guessed, nobody is known by what was shown. */
export type AttemptVerdict = "match" | "mismatch" | "stranger" | "busy";

/** Looks at a password unless there were too many wrong ones, and counts how it ends. A guess too many is answered as a wrong
 *  password is: who guesses learns nothing from it.
 *  @param verify compares in constant time, and takes as long for a user who does not exist */
export function attemptLogin(
  request: AaaRequest,
  { users, log }: Pick<ModuleServices, "users" | "log">,
  verify: (attempt: GuessAttempt) => AttemptVerdict | Promise<AttemptVerdict>,
): ReturnCode | Promise<ReturnCode> {
  const attempt = attemptOf(request);
  const admitted = request.heartbeat ? undefined : users?.guesses.admit(attempt);
  if (admitted?.ok === false) {
    log.debug({ by: admitted.by, retryAfterMs: admitted.retryAfterMs }, "too many wrong passwords");
    request.control.rejectReason = `too many wrong passwords of this ${admitted.by}`;
    return "reject";
  }
  const ended = (verdict: AttemptVerdict) => judged(verdict, request, attempt, users);
  const verdict = verify(attempt);
  return verdict instanceof Promise ? verdict.then(ended) : ended(verdict);
}

function judged(
  verdict: AttemptVerdict,
  request: AaaRequest,
  attempt: GuessAttempt,
  users: ModuleServices["users"],
): ReturnCode {
  // No answer: the NAS asks again, or another server.
  if (verdict === "busy") return "handled";
  if (!request.heartbeat) {
    if (verdict === "match") users?.guesses.succeeded(attempt);
    else if (verdict === "mismatch") users?.guesses.failed(attempt);
  }
  if (verdict === "match") return "ok";
  request.control.rejectReason =
    request.control.userKnown && request.control.user === undefined ? "unknown user" : "wrong password";
  return "reject";
}

function attemptOf(request: AaaRequest): GuessAttempt {
  const callingStationId = request.octets(CALLING_STATION_ID)?.toString("latin1");
  const { username = "", heartbeat, link } = request;
  return { username, callingStationId, source: link.peerKey, exempt: heartbeat };
}

const CALLING_STATION_ID = 31;
