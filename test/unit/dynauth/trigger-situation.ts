import { systemRandom } from "../../../src/clock.ts";
import { expect } from "vitest";
import type { ExchangeRequest } from "../../../src/dynauth/exchange-request.ts";
import type { Outcome, Replied } from "../../../src/dynauth/outcome.ts";
import { ProxyMark } from "../../../src/dynauth/trigger-attributes.ts";
import {
  type NoRouteAnswer,
  type TriggerContext,
  type TriggerOptions,
  Triggers,
} from "../../../src/dynauth/triggers.ts";
import { HubError } from "../../../src/errors.ts";
import { type Attribute, textAttribute } from "../../../src/radius/attribute.ts";
import { encodeRequest, encodeResponse, SharedSecret, verifyResponse } from "../../../src/radius/authenticator.ts";
import { decodePacket } from "../../../src/radius/packet.ts";
import { VENDOR_FORMAT_DEFAULT } from "../../../src/radius/vendor.ts";
import type { LinkRecord } from "../../../src/registry/types.ts";
import type { ClientEntry } from "../../../src/transport/client-entry.ts";
import type { Link, Reply } from "../../../src/transport/link.ts";
import { clientEntry } from "../../support/client-entries.ts";
import { ManualClock } from "../../support/manual-clock.ts";

export const DAC_SECRET: SharedSecret = new SharedSecret("xyzzy5461-and-more");
export const DAC: ClientEntry = clientEntry({ name: "aaa", transport: "udp", mayTrigger: true, secret: DAC_SECRET });
export const USER: Attribute = textAttribute(1, "nemo@home.example");
export const NAS: Attribute = textAttribute(32, "nas-07");
export const OPERATOR: Attribute = textAttribute(126, "1visited.example");
export const OPERATOR_NAS: Attribute = { type: 241, value: Buffer.from("08deadbeef", "hex") };
export const STATES: readonly Attribute[] = ["a", "b", "c"].map((text) => textAttribute(33, text));
export const MARK: ProxyMark = new ProxyMark(Buffer.from("0123456789ab"));
/** A vendor whose types and lengths take two octets each. */
export const WIDE = 9_999;
export const COMMON = { exchangeId: "x", attempts: [], mayHaveActed: false, durationMs: 1, nas: "nas-07" };
export const REPLIED = {
  ...COMMON,
  linkId: "l",
  errorCause: undefined,
  protocolError: false,
  requestInitiated: false,
  roundTripMs: 1,
};

const ACK: Replied = { ...REPLIED, kind: "ack", replyCode: 41, replyAttributes: [textAttribute(18, "bye")] };

export const REALMS: TriggerOptions["realms"] = {
  ours: new Set(["visited.example"]),
  required: false,
  operatorNas: new Map([["deadbeef", { nasIdentifier: "nas-07" }]]),
};

/** A request of a DAC, and what becomes of it. */
export interface Situation {
  readonly code?: number;
  readonly attributes?: readonly Attribute[];
  readonly client?: ClientEntry;
  readonly outcome?: Outcome | readonly Outcome[] | HubError;
  readonly options?: Partial<TriggerOptions>;
  readonly noRoute?: NoRouteAnswer;
  /** The link that it came on; undefined: over UDP. */
  readonly link?: Link;
  readonly kinds?: TriggerContext["kinds"];
}

/** What the DAC gets, and what was asked of Dynauth. */
export async function trigger(situation: Situation): Promise<{ reply: Reply; asked: ExchangeRequest | undefined }> {
  const { code = 40, attributes = [USER, NAS], client = DAC, outcome = ACK, options, noRoute, link, kinds } = situation;
  let asked: ExchangeRequest | undefined;
  const record = { nasIdentifiers: new Set(["nas-07"]), nasAddresses: new Set(["10.0.0.7"]) };
  const triggers = new Triggers(
    {
      clock: new ManualClock(1_700_000_000_000),
      dynauth: {
        exchange: (request) => {
          asked = request;
          return outcome instanceof HubError ? Promise.reject(outcome) : Promise.resolve([outcome].flat());
        },
      },
      registry: { record: () => record as unknown as LinkRecord },
      random: systemRandom,
      mark: MARK,
      formatOf: (vendor) => (vendor === WIDE ? { typeBytes: 2, lengthBytes: 2 } : VENDOR_FORMAT_DEFAULT),
    },
    {
      timestampWindowMs: 300_000,
      requireEventTimestamp: false,
      hopsMax: 16,
      realms: REALMS,
      ...options,
    },
  );
  const octets = encodeRequest(code, 9, attributes, Buffer.alloc(16), client.secret);
  const packet = decodePacket(octets);
  const origin = { address: "192.0.2.9", ...(link && { link }) };
  const reply = await triggers.handle({
    packet,
    client,
    origin,
    signal: new AbortController().signal,
    kinds,
    ...(noRoute && { noRoute }),
  });
  // DP-26: signed for the DAC with its own secret, Identifier and Authenticator.
  if (reply.kind === "reply") {
    const answer = decodePacket(encodeResponse(packet, reply.code, reply.attributes, client.secret));
    expect(verifyResponse(answer, packet.authenticator, client.secret)).toBe("ok");
  }
  return { reply, asked };
}

/** The DAC, limited. */
export function reaching(reach: ClientEntry["reach"]): ClientEntry {
  return clientEntry({ ...DAC, reach });
}
