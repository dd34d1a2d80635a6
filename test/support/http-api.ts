import { systemClock, systemRandom } from "../../src/clock.ts";
import type { ExchangeRequest } from "../../src/dynauth/exchange-request.ts";
import type { Outcome } from "../../src/dynauth/outcome.ts";
import { EventFeed } from "../../src/events.ts";
import { HttpApi, type HttpDeps, type HttpOptions } from "../../src/http/api.ts";
import type { ExchangeDoor } from "../../src/http/options.ts";
import { ATTRIBUTE, type Attribute, attribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { decodePacket, encodePacket, ZERO_AUTHENTICATOR } from "../../src/radius/packet.ts";
import { Registry } from "../../src/registry/registry.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { CloseReason, Link, LinkOutcome } from "../../src/transport/link.ts";
import type { Peer } from "../../src/transport/peer.ts";
import { clientEntry } from "./client-entries.ts";

const dictionary: Dictionary = Dictionary.load(new URL("../../config/dictionaries", import.meta.url).pathname);

/** Answers exchanges as a test says, and remembers what was asked. */
class ScriptedDynauth implements ExchangeDoor {
  readonly requests: ExchangeRequest[] = [];
  inFlight = 0;
  script: (request: ExchangeRequest) => readonly Outcome[] | Promise<readonly Outcome[]> = () => [ack()];

  async exchange(request: ExchangeRequest): Promise<readonly Outcome[]> {
    this.requests.push(request);
    this.inFlight += 1;
    try {
      return await this.script(request);
    } finally {
      this.inFlight -= 1;
    }
  }
}

const common = {
  exchangeId: "x1",
  attempts: [{ linkId: "n1-1", kind: "reply", tookMs: 1.23456 }],
  mayHaveActed: false,
  durationMs: 2.5,
  nas: "edge-1",
} as const;

export function ack(changes: Partial<Extract<Outcome, { kind: "ack" | "nak" }>> = {}): Outcome {
  return {
    ...common,
    kind: "ack",
    linkId: "n1-1",
    replyCode: CODE.disconnectAck,
    replyAttributes: [],
    errorCause: undefined,
    protocolError: false,
    requestInitiated: false,
    roundTripMs: 1,
    ...changes,
  };
}

export function nak(errorCause: number | undefined): Outcome {
  const replyAttributes: Attribute[] = [];
  if (errorCause !== undefined) {
    replyAttributes.push(attribute(ATTRIBUTE.errorCause, Buffer.from([0, 0, errorCause >> 8, errorCause & 0xff])));
  }
  return ack({ kind: "nak", replyCode: CODE.disconnectNak, errorCause, replyAttributes });
}

export function unanswered(outcome: Record<string, unknown> & { kind: Outcome["kind"] }): Outcome {
  return { ...common, attempts: [], ...outcome } as unknown as Outcome;
}

/** A link of nothing but facts. */
export class PaperLink implements Link {
  readonly kind = "tls";
  readonly listener: string;
  readonly peer: Peer;
  readonly peerKey: string;
  readonly client: ClientEntry;
  readonly address: string;
  readonly port = 40_000;
  readonly connectedAtMs: number;
  readonly protocol = "TLSv1.3";
  readonly open = true;
  readonly inFlight = 1;
  readonly queued = 2;
  readonly linkId: string;
  closedWith: CloseReason | undefined;

  constructor(
    linkId: string,
    facts: { name?: string; listener?: string; address?: string; connectedAtMs?: number } = {},
  ) {
    const { name = linkId, listener = "radsec", address = "192.0.2.1", connectedAtMs = 1_700_000_000_000 } = facts;
    this.linkId = linkId;
    this.listener = listener;
    this.address = address;
    this.connectedAtMs = connectedAtMs;
    this.peer = { kind: "psk", identity: name };
    this.peerKey = `psk:${name}`;
    this.client = clientEntry();
  }

  send(): Promise<LinkOutcome> {
    return Promise.resolve({ kind: "busy", why: "queue-full" });
  }

  close(reason: CloseReason): void {
    this.closedWith = reason;
  }
}

/** Makes a Status-Server of that NAS-Identifier known to the registry. */
export function learnName(registry: Registry, link: Link, octets: Buffer): void {
  const attributes = [attribute(ATTRIBUTE.nasIdentifier, octets)];
  registry.learnStatus(link, decodePacket(encodePacket(CODE.statusServer, 0, ZERO_AUTHENTICATOR, attributes)));
}

export interface RunningApi {
  readonly api: HttpApi;
  readonly url: string;
  readonly port: number;
  readonly dynauth: ScriptedDynauth;
  readonly registry: Registry;
  readonly events: EventFeed;
  /** Every log line as JSON text. */
  readonly lines: string[];
  addLink(link: PaperLink): PaperLink;
  stop(): Promise<void>;
}

export const httpOptions: HttpOptions = {
  address: "127.0.0.1",
  port: 0,
  tokens: [],
  basic: [],
  clients: [],
  allowedHosts: [],
  bodyBytesMax: 65_536,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  timeoutMaxMs: 30_000,
};

/** The API on a free port of 127.0.0.1, with a real registry and dictionary and scripted exchanges. */
export async function startApi(
  options: Partial<HttpOptions> = {},
  changes: Partial<HttpDeps> = {},
): Promise<RunningApi> {
  const lines: string[] = [];
  const line = (facts: object, message: string): void => void lines.push(JSON.stringify({ ...facts, message }));
  const clock = changes.clock ?? systemClock;
  const events = new EventFeed((error) => line({ error: String(error) }, "subscriber failed"));
  const registry = new Registry({ clock, events }, { bindingLapseMs: 1_000, namesPerLinkMax: 16, bindingsMax: 1_000 });
  const dynauth = new ScriptedDynauth();
  const links = new Map<string, PaperLink>();
  const api = new HttpApi(
    {
      clock,
      random: systemRandom,
      events,
      registry,
      dynauth,
      dictionary,
      ready: () => ({ ready: true, checks: { radsec: { ok: true, detail: "secret detail" } } }),
      closeLink: (linkId) => {
        links.get(linkId)?.close("operator");
        return links.has(linkId);
      },
      version: "0.0.0-test",
      log: { info: line, warn: line, error: line },
      ...changes,
    },
    { ...httpOptions, ...options },
  );
  const { port } = await api.start();
  return {
    api,
    url: `http://127.0.0.1:${port}`,
    port,
    dynauth,
    registry,
    events,
    lines,
    addLink: (link) => {
      links.set(link.linkId, link);
      registry.opened(link);
      return link;
    },
    stop: async () => {
      await api.stop(0);
      registry.stop();
    },
  };
}
