import type { Logger } from "../../src/log.ts";
import type { User } from "../../src/store/user-types.ts";
import { RunningHub } from "./running-hub.ts";

/** As seed 001 shows one. */
export const DJANGO_TOKEN = "165f9a790787fc38e5cc12c1640db2300648d9a2";
export const CHECK_TOKEN = "token-of-the-radius-check";
export const ORGANIZATION = {
  name: "default",
  uuid: "0e4f12b5-9a6d-4f2b-8a53-c1a0a2b1a3f7",
  token: "a-token-of-the-organization",
} as const;
const ROUTER_SECRET = "the-secret-of-the-router";

export interface CompatHubOptions {
  /** More keys of http.compat. */
  readonly compat?: string;
  /** More keys of http. */
  readonly http?: string;
  /** Another openwispRadius. */
  readonly openwisp?: string;
  /** More sections of hub.yaml. */
  readonly yaml?: string;
  /** More entries of `clients`. */
  readonly clients?: string;
  readonly log?: Logger;
  readonly users?: readonly User[];
}

const OPENWISP = `openwispRadius: { organizations: [{ name: ${ORGANIZATION.name}, uuid: ${ORGANIZATION.uuid}, token: ${ORGANIZATION.token} }] }`;

export interface Answered {
  readonly status: number;
  readonly text: string;
  readonly headers: Headers;
}

/** A hub with every API of other systems, and the calls that a FreeRADIUS would make. */
export class CompatHub {
  readonly running: RunningHub;

  private constructor(running: RunningHub) {
    this.running = running;
  }

  static async start(options: CompatHubOptions = {}): Promise<CompatHub> {
    const { compat = "", http = "", openwisp = OPENWISP, yaml = "", clients = "", log, users = [] } = options;
    const running = await RunningHub.start({
      ...(log && { log }),
      yaml: `
accounting: { enabled: true }
udp: [{ name: legacy, addresses: [127.0.0.1], authPort: 0, acctPort: 0 }]
clients:
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
${clients}
http:
  address: 127.0.0.1
  port: 0
  ${http}
  compat:
    radiusCheck: { token: ${CHECK_TOKEN} }
    djangoFreeradius: { token: ${DJANGO_TOKEN} }
    ${openwisp}
    ${compat}
${yaml}`,
    });
    await running.hub.store?.ready(10_000);
    for (const user of users) await running.hub.store?.users.put(user);
    return new CompatHub(running);
  }

  /** A call of django-freeradius's API with its token. */
  django(path: string, body?: object, method?: string): Promise<Answered> {
    return this.call(`/api/v1/${path}`, { body, method, authorization: `Bearer ${DJANGO_TOKEN}` });
  }

  /** A call of openwisp-radius's API with UUID and token. */
  openwisp(path: string, body?: object, method?: string): Promise<Answered> {
    const authorization = `Bearer ${ORGANIZATION.uuid} ${ORGANIZATION.token}`;
    return this.call(`/api/v1/freeradius/${path}`, { body, method, authorization });
  }

  async call(
    path: string,
    how: {
      readonly body?: object | undefined;
      readonly method?: string | undefined;
      readonly authorization?: string | undefined;
    } = {},
  ): Promise<Answered> {
    const { body, method = body === undefined ? "GET" : "POST", authorization } = how;
    const isForm = body instanceof FormData;
    const headers = {
      ...(authorization !== undefined && { Authorization: authorization }),
      ...(body !== undefined && !isForm && { "Content-Type": "application/json" }),
    };
    const sent = body === undefined ? undefined : isForm ? body : JSON.stringify(body);
    const response = await fetch(`${this.running.api}${path}`, {
      method,
      headers,
      ...(sent !== undefined && { body: sent }),
    });
    return { status: response.status, text: await response.text(), headers: response.headers };
  }
}

/** An entry of `clients` for a router whose packets go to FreeRADIUS and which the hub reaches at its UDP port. */
export function routerEntry(address: string, dynauthPort: number, more = ""): string {
  return `  - { name: behind-freeradius, transport: udp, match: { network: ${address}/32 }, secret: ${ROUTER_SECRET}, dynauthPort: ${dynauthPort}, ${more} }`;
}

export { ROUTER_SECRET };
