import type { Clock, Random } from "../../clock.ts";
import type { Attribute } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { HidingHop } from "../../radius/hidden.ts";
import { AUTHENTICATOR_BYTES } from "../../radius/packet.ts";
import { resolveHost } from "../../transport/host-address.ts";
import type { LinkOutcome } from "../../transport/link.ts";
import type { UdpRequest, UdpRequester } from "../../transport/udp-requester.ts";
import { Liveness } from "./liveness.ts";
import type { UdpServerOptions } from "./options.ts";
import { probeRequest } from "./probe-request.ts";
import type { UpstreamAnswer, UpstreamQuestion, UpstreamServer } from "./upstream-server.ts";

export interface UdpServerDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly udp: Pick<UdpRequester, "request">;
  /** NAS-Identifier of probes. */
  readonly nasIdentifier: string;
  readonly changed: (up: boolean, detail: string) => void;
}

/** An upstream server behind UDP: requests that came over TLS are retransmitted here (DP-08), and silence is all that tells
 *  that it is gone. */
export class UdpServer implements UpstreamServer {
  readonly name: string;
  readonly transport = "udp";
  readonly #deps: UdpServerDeps;
  readonly #options: UdpServerOptions;
  readonly #liveness: Liveness;
  readonly #stopping = new AbortController();
  #outstanding = 0;
  #address: string | undefined;

  constructor(deps: UdpServerDeps, options: UdpServerOptions) {
    const { clock, random, changed } = deps;
    const { suspectAfter, probe } = options;
    this.name = options.name;
    this.#deps = deps;
    this.#options = options;
    this.#liveness = new Liveness(
      { clock, random, changed, probe: () => this.#probe() },
      { suspectAfter, intervalMs: probe.intervalMs, intervalMaxMs: probe.intervalMaxMs },
    );
  }

  get state() {
    return this.#liveness.state;
  }

  get outstanding(): number {
    return this.#outstanding;
  }

  start(): void {
    void this.#resolve();
  }

  stop(): Promise<void> {
    this.#liveness.stop();
    this.#stopping.abort();
    return Promise.resolve();
  }

  probe(): void {
    this.#liveness.probe();
  }

  async ask(question: UpstreamQuestion): Promise<UpstreamAnswer> {
    const { code, deadline, signal, seal } = question;
    const { authPort, acctPort, replyTimeoutMs, retransmit } = this.#options;
    const port = code === CODE.accountingRequest ? acctPort : authPort;
    const plan = { ...retransmit, mrdMs: replyTimeoutMs };
    const latest = Math.min(deadline, this.#deps.clock.now() + replyTimeoutMs);
    const hop = this.#hop();
    this.#outstanding += 1;
    try {
      const outcome = await this.#send(hop, { code, attributes: seal(hop) }, { port, plan, deadline: latest, signal });
      return this.#judge(outcome, hop);
    } finally {
      this.#outstanding -= 1;
    }
  }

  #judge(outcome: LinkOutcome | undefined, hop: HidingHop): UpstreamAnswer {
    switch (outcome?.kind) {
      case "reply":
        this.#liveness.requestAnswered();
        return { kind: "reply", reply: outcome.reply, hop };
      case "aborted":
        return { kind: "aborted" };
      case "timeout":
        this.#liveness.requestUnanswered();
        return { kind: "silent" };
      case "closed":
        this.#liveness.requestUnanswered(); // nobody listens there
        return { kind: outcome.written ? "silent" : "unsent" };
      case "busy":
        return { kind: "unsent" };
      case undefined:
        this.#liveness.requestUnanswered(); // no such host
        return { kind: "unsent" };
    }
  }

  /** Never a second copy: a Status-Server is not retransmitted (ST-13; RFC 5997 Section 4.1). Both ports answer it (ST-04), and a
   *  server of accounting alone has but one. */
  async #probe(): Promise<string | undefined> {
    const { probe } = this.#options;
    const port = this.#options[`${probe.port}Port`];
    const { clock, nasIdentifier } = this.#deps;
    await this.#resolve();
    const hop = this.#hop();
    const plan = { irtMs: probe.timeoutMs, mrtMs: probe.timeoutMs, mrc: 1, mrdMs: probe.timeoutMs };
    const deadline = clock.now() + probe.timeoutMs;
    const signal = this.#stopping.signal;
    const outcome = await this.#send(hop, probeRequest(probe, nasIdentifier, hop), {
      port,
      plan,
      deadline,
      signal,
    });
    if (outcome === undefined) return `${this.#options.host} can not be resolved`;
    if (outcome.kind === "reply") return undefined;
    return outcome.kind === "closed" ? `nobody listens on port ${port}` : "probes stay unanswered";
  }

  async #send(
    { authenticator, secret }: HidingHop,
    what: { readonly code: number; readonly attributes: readonly Attribute[] },
    how: Pick<UdpRequest, "port" | "plan" | "deadline" | "signal">,
  ): Promise<LinkOutcome | undefined> {
    const address = this.#address ?? (await this.#resolve());
    if (address === undefined) return undefined;
    const { requireMessageAuthenticator } = this.#options;
    return this.#deps.udp.request({ address, secret, authenticator, requireMessageAuthenticator, ...what, ...how });
  }

  /** A new Authenticator for each request (CRY-04). */
  #hop(): HidingHop {
    return { secret: this.#options.secret, authenticator: this.#deps.random.bytes(AUTHENTICATOR_BYTES) };
  }

  async #resolve(): Promise<string | undefined> {
    this.#address = (await resolveHost(this.#options.host)) ?? this.#address;
    return this.#address;
  }
}
