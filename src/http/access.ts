import ipaddr from "ipaddr.js";
import { HubError } from "../errors.ts";
import { type Caller, Credentials } from "./credentials.ts";
import { isLoopback, isLoopbackName, isAddressLiteral, splitHost } from "./host-name.ts";
import type { HttpOptions, Role } from "./options.ts";
import type { ProblemCode } from "./problem.ts";

/** What a request shows of itself before anything is read. */
export interface Arrival {
  readonly method: string;
  /** Address of the other end of the TCP connection; forwarded-for headers are never believed. */
  readonly address: string;
  readonly host: string | undefined;
  readonly origin: string | undefined;
  readonly authorization: string | undefined;
}

export type Verdict =
  /** `caller` is undefined when nobody proved anything: only what needs no role may be answered. */
  | { readonly ok: true; readonly caller: Caller | undefined }
  | { readonly ok: false; readonly code: ProblemCode; readonly detail: string };

interface Network {
  readonly range: [ipaddr.IPv4 | ipaddr.IPv6, number];
  readonly text: string;
  readonly role: Role | undefined;
}

const READING: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** Who may call, from where, and under which name of the hub.
 *
 *  (1) An address outside `http.clients`, where that is set, is refused before anything else.
 *  (2) Credentials that are presented must be right, wherever they come from.
 *  (3) Who is trusted without credentials must address the hub by a name that is surely the hub's own: a page of somebody else
 *      that was rebound to this address carries that page's name (DNS rebinding).
 *  (4) A page of another origin changes nothing, and without credentials reads nothing either (CSRF). */
export class Access {
  readonly #credentials: Credentials;
  readonly #networks: readonly Network[];
  readonly #allowedHosts: ReadonlySet<string>;

  /** @throws {HubError} ERR_CONFIG */
  constructor(options: Pick<HttpOptions, "tokens" | "basic" | "clients" | "allowedHosts">) {
    this.#credentials = new Credentials(options);
    this.#networks = options.clients.map(({ network, role }) => ({
      range: parseNetwork(network),
      text: network,
      role,
    }));
    this.#allowedHosts = new Set(options.allowedHosts.map((name) => name.toLowerCase()));
  }

  /** Neither credentials nor networks: everybody who can connect may do everything, so only loopback may be able to. */
  get open(): boolean {
    return this.#credentials.empty && this.#networks.length === 0;
  }

  get challenge(): string {
    return this.#credentials.challenge;
  }

  admit(arrival: Arrival): Verdict {
    const network = this.#networkOf(arrival.address);
    if (this.#networks.length > 0 && network === undefined) {
      return refused("network-not-allowed", `${arrival.address} is in no network of http.clients`);
    }
    const { authorization } = arrival;
    if (authorization !== undefined && !this.#credentials.empty) {
      const caller = this.#credentials.verify(authorization);
      if (caller === undefined) return refused("unauthorized", "the credentials are not known here");
      return this.#checkOrigin(arrival, false) ?? { ok: true, caller };
    }
    const caller = this.#trusted(network);
    if (caller === undefined) return this.#checkOrigin(arrival, false) ?? { ok: true, caller };
    return this.#checkHost(arrival) ?? this.#checkOrigin(arrival, true) ?? { ok: true, caller };
  }

  /** As admit(), for an API that looks at credentials of its own: only where the call comes from is judged. */
  admitForeign(arrival: Arrival): Verdict {
    const network = this.#networkOf(arrival.address);
    if (this.#networks.length > 0 && network === undefined) {
      return refused("network-not-allowed", `${arrival.address} is in no network of http.clients`);
    }
    return this.#checkOrigin(arrival, false) ?? { ok: true, caller: undefined };
  }

  #trusted(network: Network | undefined): Caller | undefined {
    if (this.open) return { name: "loopback", role: "admin" };
    if (network === undefined) return undefined;
    // Networks alone, without any credentials, are the operator's way to say who may call.
    const role = network.role ?? (this.#credentials.empty ? "operator" : undefined);
    return role === undefined ? undefined : { name: `network ${network.text}`, role };
  }

  #networkOf(address: string): Network | undefined {
    if (this.#networks.length === 0 || !ipaddr.isValid(address)) return undefined;
    const parsed = ipaddr.process(address);
    return this.#networks.find(({ range: [base, bits] }) => parsed.kind() === base.kind() && parsed.match(base, bits));
  }

  #checkHost({ host }: Arrival): Verdict | undefined {
    const { name } = splitHost(host ?? "");
    if (isLoopbackName(name) || this.#allowedHosts.has(name)) return undefined;
    // A page cannot be rebound to an address literal, nor to a name without a dot, which nobody can register.
    if (!this.open && (isAddressLiteral(name) || /^[a-z0-9-]+$/.test(name))) return undefined;
    return refused("foreign-host", "the Host is not a name of this hub: add it to http.allowedHosts");
  }

  #checkOrigin({ method, host, origin }: Arrival, everyMethod: boolean): Verdict | undefined {
    if (origin === undefined || (READING.has(method) && !everyMethod)) return undefined;
    // A proxy in front may end TLS: the scheme may differ, host and port may not.
    const from = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase();
    if (from !== undefined && (from === host?.toLowerCase() || this.#allowedHosts.has(splitHost(from).name))) {
      return undefined;
    }
    return refused("foreign-origin", "pages of another origin may not call this hub");
  }
}

function refused(code: ProblemCode, detail: string): Verdict {
  return { ok: false, code, detail };
}

function parseNetwork(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  try {
    if (text.includes("/")) return ipaddr.parseCIDR(text);
    const address = ipaddr.process(text);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch (cause) {
    throw new HubError("ERR_CONFIG", `http.clients: ${text} is no network`, {}, { cause });
  }
}

/** Refuses to offer an API without any access rule to other machines.
 *  @throws {HubError} ERR_CONFIG */
export function assertReachableOnlyAsMeant(access: Access, address: string): void {
  if (!access.open || isLoopback(address)) return;
  throw new HubError(
    "ERR_CONFIG",
    `http.address ${address} can be reached from other machines: set http.tokens, http.basic or http.clients, or listen on 127.0.0.1`,
    { key: "http.address" },
  );
}
