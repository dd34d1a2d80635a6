import { expect, it, onTestFinished } from "vitest";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import type { Packet } from "../../src/radius/packet.ts";
import { startHub } from "../support/accounting-router.ts";
import { hashedPassword } from "../support/hashed-passwords.ts";
import { RawNas } from "../support/raw-nas.ts";
import { userRecord } from "../support/user-records.ts";

const AUTHENTICATOR = Buffer.alloc(16, 9);
const USERS = 80;
const REPEAT_MS = 300;
// A thread, and a second for each call of a module: what the machine can do in that time is a part of what is asked.
const YAML = `
accounting: {}
radsec: [{ address: 127.0.0.1, port: 0, secret: radsec }]
users: { passwords: { atOnce: 1, waiting: 200 }, guesses: { source: 200 } }
modules: { callTimeout: 1s }
`;

/** A router that repeats each login until it is answered, as one over UDP does; by user, the answers. */
async function logAllIn(nas: RawNas, passwordOf: (index: number) => string): Promise<readonly number[]> {
  const codes = new Map<number, number>();
  const send = (index: number) => {
    const hidden = hideUserPassword(Buffer.from(passwordOf(index)), RADSEC_SECRET, AUTHENTICATOR);
    const attributes = [
      textAttribute(ATTRIBUTE.userName, `user-${index}`),
      { type: ATTRIBUTE.userPassword, value: hidden },
      textAttribute(ATTRIBUTE.nasIdentifier, "edge-1"),
    ];
    nas.send(encodeRequest(CODE.accessRequest, index, attributes, AUTHENTICATOR, RADSEC_SECRET));
  };
  const repeat = () => {
    for (let index = 0; index < USERS; index += 1) if (!codes.has(index)) send(index);
  };
  const seen = nas.received.length;
  repeat();
  const timer = setInterval(repeat, REPEAT_MS);
  onTestFinished(() => clearInterval(timer));
  for (let at = seen; codes.size < USERS; at += 1) {
    const { identifier, code }: Packet = await nas.packet(at);
    codes.set(identifier, code);
  }
  clearInterval(timer);
  return Array.from({ length: USERS }, (_, index) => codes.get(index) ?? 0);
}

it("rejects nobody whose password is right, however many log in at once: who waits too long is not answered", async () => {
  const running = await startHub(YAML);
  const password = await hashedPassword("right");
  const users = Array.from({ length: USERS }, (_, index) => userRecord(`user-${index}`, { password }));
  await running.hub.store?.users.putAll(users);
  const nas = await RawNas.dial(running.radsecPort, await running.credentials("edge-1"));
  await nas.register("edge-1");
  const right = (index: number) => (index % 8 === 7 ? "wrong" : "right");
  const expected = users.map((_, index) => (index % 8 === 7 ? CODE.accessReject : CODE.accessAccept));
  await expect(logAllIn(nas, right)).resolves.toEqual(expected);
  // On a machine with much else to do the event loop may stand still; no call is given up for it.
  expect(running.eventsOf("module.fault").filter(({ fault }) => fault !== "blocked")).toEqual([]);
}, 120_000);
