import { expect, it } from "vitest";
import { integerAttribute } from "../../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, SharedSecret } from "../../../src/radius/authenticator.ts";
import { CODE } from "../../../src/radius/codes.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { verifyReply } from "../../../src/transport/sent-request.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const SECRET = new SharedSecret("a secret of the test");
const EVENT_TIMESTAMP = 55;
const NOW_SECONDS = 1_700_000_000;

it.each([
  [CODE.disconnectRequest, CODE.disconnectAck, "reply-stale-timestamp"],
  [CODE.disconnectRequest, CODE.disconnectNak, "reply-stale-timestamp"],
  [CODE.coaRequest, CODE.coaAck, "reply-stale-timestamp"],
  [CODE.coaRequest, CODE.coaNak, "reply-stale-timestamp"],
  [CODE.accessRequest, CODE.accessAccept, "ok"],
  [CODE.accessRequest, CODE.accessChallenge, "ok"],
  [CODE.accountingRequest, CODE.accountingResponse, "ok"],
])(
  "RC-15 UC-06 an Event-Timestamp of long ago counts against the reply to a Disconnect or CoA alone: request %i, reply %i",
  (code, replyCode, verdict) => {
    const request = decodePacket(encodeRequest(code, 1, [], Buffer.alloc(16, 7), SECRET));
    const old = integerAttribute(EVENT_TIMESTAMP, NOW_SECONDS - 3_600);
    const reply = decodePacket(encodeResponse(request, replyCode, [old], SECRET));
    const rules = { secret: SECRET, requireMessageAuthenticator: false, timestampWindowMs: 300_000 };
    expect(verifyReply(reply, request, { ...rules, clock: new ManualClock(NOW_SECONDS * 1_000) })).toBe(verdict);
  },
);
