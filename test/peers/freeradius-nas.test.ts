import { beforeEach, describe, expect, it } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import type { RequestHandler } from "../../src/transport/link.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { needs, startFreeradius } from "../support/freeradius.ts";
import { radclient } from "../support/radclient.ts";
import { RunningHub } from "../support/running-hub.ts";

const SECRET = "of-what-is-behind-the-nas";

/** The NAS passes accounting on; somebody has to acknowledge it. */
const acknowledge: RequestHandler = () => ({ kind: "reply", code: CODE.accountingResponse, attributes: [] });

/** FreeRADIUS as a NAS: it dials out to the hub over mutual TLS, says who it is by an Accounting-Request that it passes on,
 *  and answers what comes back down the connection by what `policy` says. */
async function dialledOut(policy = "ok") {
  const dynauthPort = await freeUdpPort();
  const hub = await RunningHub.start({
    handler: acknowledge,
    yaml: `
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: ${dynauthPort} }]
clients:
  - { name: aaa, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET}, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`,
  });
  const issued = await hub.hub.pki?.issueNas("freeradius");
  const port = await freeUdpPort();
  const nas = await startFreeradius(`
modules {
  always ok {
    rcode = ok
  }
  always reject {
    rcode = reject
  }
}
proxy server {
}
client behind {
  ipaddr = 127.0.0.1
  secret = ${SECRET}
}
home_server hub {
  type = auth+acct+coa
  ipaddr = 127.0.0.1
  port = ${hub.radsecPort}
  proto = tcp
  secret = radsec
  status_check = none
  tls {
    private_key_file = ${issued?.keyFile}
    certificate_file = ${issued?.certificateFile}
    ca_file = ${hub.hub.pki?.ca.certificateFile}
    tls_min_version = "1.2"
    tls_max_version = "1.3"
  }
  recv_coa {
    virtual_server = reverse
  }
}
home_server_pool hub {
  type = fail-over
  home_server = hub
}
realm hub {
  auth_pool = hub
  acct_pool = hub
}
server nas {
  listen {
    type = acct
    ipaddr = 127.0.0.1
    port = ${port}
  }
  preacct {
    update control {
      Proxy-To-Realm := hub
    }
  }
}
server reverse {
  recv-coa {
    ${policy}
  }
  send-coa {
    ok
  }
}
`);
  const attributes = [
    'NAS-Identifier = "freeradius-nas"',
    'User-Name = "nemo"',
    "Acct-Status-Type = Start",
    'Acct-Session-Id = "a1"',
  ];
  const { reply, output } = await radclient(`127.0.0.1:${port}`, "acct", SECRET, attributes, { timeoutS: 2, tries: 3 });
  expect(reply, `${output}\n${nas.output}`).toBe("Accounting-Response");
  return { hub, nas, dynauthPort };
}

describe("FreeRADIUS as a NAS that dials out to a running hub", () => {
  beforeEach((context) => needs(context, "freeradius", "radclient"));

  it.each(["coa", "disconnect"] as const)(
    "RC-01 POST /%s: it takes the request on the connection that it opened, and acknowledges it",
    async (what) => {
      const { hub, nas } = await dialledOut();
      const query = "nas_identifier=freeradius-nas&username=nemo&session_id=a1";
      const answer = await fetch(`${hub.api}/${what}?${query}`, { method: "POST" });
      expect([answer.status, ((await answer.json()) as { outcome: string }).outcome], nas.output).toEqual([200, "ack"]);
      expect(nas.output).toMatch(what === "coa" ? /Received CoA-Request/ : /Received Disconnect-Request/);
    },
  );

  it("RC-17 its policy says no: 409", async () => {
    const { hub, nas } = await dialledOut("reject");
    const answer = await fetch(`${hub.api}/coa?nas_identifier=freeradius-nas&username=nemo`, { method: "POST" });
    expect([answer.status, ((await answer.json()) as { outcome: string }).outcome], nas.output).toEqual([409, "nak"]);
  });

  it("RC-01 DP-26 a CoA that radclient sends to the hub comes to it, and its ACK to radclient", async () => {
    const { dynauthPort, nas } = await dialledOut();
    const attributes = ['NAS-Identifier = "freeradius-nas"', 'User-Name = "nemo"'];
    const { reply } = await radclient(`127.0.0.1:${dynauthPort}`, "coa", SECRET, attributes);
    expect(reply, nas.output).toBe("CoA-ACK");
  });
});
