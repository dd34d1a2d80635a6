import { existsSync } from "node:fs";
import type { TestContext } from "vitest";
import { startFreeradius } from "./freeradius.ts";
import { freeUdpPort } from "./free-port.ts";
import type { Program } from "./program.ts";

/** Debian's own policy for Acct-Unique-Session-Id, which both documentations ask for. */
const POLICY = "/etc/freeradius/3.0/policy.d/accounting";
const RLM_REST = "/usr/lib/freeradius/rlm_rest.so";

export const REST_SECRET = "between-router-and-freeradius";

/** Skips a test whose FreeRADIUS has no rlm_rest, aloud. */
export function needsRlmRest(context: TestContext): void {
  if (!existsSync(RLM_REST) || !existsSync(POLICY)) context.skip("freeradius-rest is not installed");
}

export interface RestFreeradius {
  readonly program: Program;
  readonly auth: string;
  readonly acct: string;
}

export interface RestOptions {
  /** Of the hub's API: "http://127.0.0.1:4000". */
  readonly url: string;
  /** "/api/v1" or "/api/v1/freeradius". */
  readonly base: string;
  /** What follows "Authorization: Bearer ". */
  readonly bearer: string;
  /** More of the JSON that authorize sends. */
  readonly authorize: string;
}

/** FreeRADIUS whose module rest, site and policy are those of the documentation of django-freeradius and openwisp-radius. */
export async function startRestFreeradius({ url, base, bearer, authorize }: RestOptions): Promise<RestFreeradius> {
  const [authPort, acctPort] = [await freeUdpPort(), await freeUdpPort()];
  const program = await startFreeradius(`
modules {
  expr {
  }
  rest {
    tls {
    }
    connect_uri = "${url}"
    authorize {
      uri = "\${..connect_uri}${base}/authorize/"
      method = 'post'
      body = 'json'
      data = '{"username": "%{User-Name}", "password": "%{User-Password}"${authorize}}'
      tls = \${..tls}
    }
    authenticate {
    }
    post-auth {
      uri = "\${..connect_uri}${base}/postauth/"
      method = 'post'
      body = 'json'
      data = '{"username": "%{User-Name}", "password": "%{User-Password}", "reply": "%{reply:Packet-Type}", "called_station_id": "%{Called-Station-ID}", "calling_station_id": "%{Calling-Station-ID}"}'
      tls = \${..tls}
    }
    accounting {
      uri = "\${..connect_uri}${base}/accounting/"
      method = 'post'
      body = 'json'
      data = '{"status_type": "%{Acct-Status-Type}", "session_id": "%{Acct-Session-Id}", "unique_id": "%{Acct-Unique-Session-Id}", "username": "%{User-Name}", "realm": "%{Realm}", "nas_ip_address": "%{NAS-IP-Address}", "nas_port_id": "%{NAS-Port}", "nas_port_type": "%{NAS-Port-Type}", "session_time": "%{Acct-Session-Time}", "authentication": "%{Acct-Authentic}", "input_octets": "%{Acct-Input-Octets}", "output_octets": "%{Acct-Output-Octets}", "called_station_id": "%{Called-Station-Id}", "calling_station_id": "%{Calling-Station-Id}", "terminate_cause": "%{Acct-Terminate-Cause}", "service_type": "%{Service-Type}", "framed_protocol": "%{Framed-Protocol}", "framed_ip_address": "%{Framed-IP-Address}"}'
      tls = \${..tls}
    }
  }
}
instantiate {
  expr
}
policy {
  $INCLUDE ${POLICY}
}
client routers {
  ipaddr = 127.0.0.0/8
  secret = ${REST_SECRET}
}
server default {
  api_token_header = "Authorization: Bearer ${bearer}"
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${authPort}
  }
  listen {
    type = acct
    ipaddr = 127.0.0.1
    port = ${acctPort}
  }
  authorize {
    update control {
      &REST-HTTP-Header += "\${...api_token_header}"
    }
    rest
  }
  authenticate {
  }
  preacct {
    acct_unique
  }
  post-auth {
    update control {
      &REST-HTTP-Header += "\${...api_token_header}"
    }
    rest
    Post-Auth-Type REJECT {
      update control {
        &REST-HTTP-Header += "\${....api_token_header}"
      }
      rest
    }
  }
  accounting {
    update control {
      &REST-HTTP-Header += "\${...api_token_header}"
    }
    rest
  }
}
`);
  return { program, auth: `127.0.0.1:${authPort}`, acct: `127.0.0.1:${acctPort}` };
}
