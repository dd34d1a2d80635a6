import { describe, expect, it } from "vitest";
import { AaaHub } from "../support/aaa-hub.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { needs, startFreeradius } from "../support/freeradius.ts";
import { needsRlmRest } from "../support/freeradius-rest.ts";
import { type Answering, empty, HttpBackEnd, json } from "../support/http-back-end.ts";
import { radclient } from "../support/radclient.ts";

const SECRET = "between-router-and-freeradius";

/** FreeRADIUS whose authorize asks rlm_rest, and lets in whom that lets pass. @returns where it listens */
async function startRlmRest(origin: string): Promise<string> {
  const port = await freeUdpPort();
  await startFreeradius(`
modules {
  pap {
  }
  rest {
    tls {
    }
    connect_uri = "${origin}"
    authorize {
      uri = "\${..connect_uri}/authorize/%{User-Name}?station=%{Calling-Station-Id}"
      method = 'post'
      body = 'json'
    }
    authenticate {
    }
  }
}
client routers {
  ipaddr = 127.0.0.0/8
  secret = ${SECRET}
}
server default {
  listen {
    type = auth
    ipaddr = 127.0.0.1
    port = ${port}
  }
  authorize {
    rest
    pap
  }
  authenticate {
    Auth-Type PAP {
      pap
    }
  }
}
`);
  return `127.0.0.1:${port}`;
}

const hubYaml = (origin: string): string => `
modules:
  instances:
    - module: rest
      settings: { url: "${origin}", retries: 0, breaker: { failures: 0 },
        authorize: { uri: "/authorize/%{User-Name}?station=%{Calling-Station-Id}", body: json } }
  sections: { authorize: [rest, pap], postauth: [] }`;

const REQUEST = [
  'User-Name = "a b/c"',
  'User-Password = "open sesame"',
  'Calling-Station-Id = "AA-BB-CC-00-00-01"',
  'NAS-Identifier = "nas-07"',
  "NAS-Port-Type = Wireless-802.11",
  "Service-Type = Login-User",
  "NAS-IP-Address = 192.0.2.1",
];

/** Code and attributes, without what signs them. */
function toldIn({ reply, output }: { readonly reply: string | undefined; readonly output: string }) {
  const [, received = ""] = output.split(/^Received .*$/m);
  const lines = received.split("\n").map((line) => line.trim());
  return { reply, attributes: lines.filter((line) => / = /.test(line) && !line.startsWith("Message-Authenticator")) };
}

const ACCEPT = { "control:Auth-Type": "Accept" };
const page: Answering = (_, response) => void response.writeHead(200, { "Content-Type": "text/html" }).end("<html>");
const half: Answering = (_, response) =>
  void response.writeHead(200, { "Content-Type": "application/json" }).end('{"a');

const CASES: readonly (readonly [string, Answering])[] = [
  ["Auth-Type Accept", json(200, ACCEPT)],
  [
    "201 with attributes of the reply",
    json(201, { ...ACCEPT, "reply:Session-Timeout": 3_600, "reply:Reply-Message": "hello" }),
  ],
  ["bare names", json(200, { ...ACCEPT, "Session-Timeout": "60", "Mikrotik-Rate-Limit": "2M/10M" })],
  ["several values with +=", json(200, { ...ACCEPT, "reply:Reply-Message": { op: "+=", value: ["one", "two"] } })],
  ["several values with :=", json(200, { ...ACCEPT, "reply:Idle-Timeout": { op: ":=", value: [1, 2] } })],
  ["several values with =", json(200, { ...ACCEPT, "reply:Idle-Timeout": { op: "=", value: [1, 2] } })],
  ["a list of values", json(200, { ...ACCEPT, "reply:Idle-Timeout": [1, 2] })],
  ["a value with = where there is none", json(200, { ...ACCEPT, "reply:Idle-Timeout": { op: "=", value: ["5"] } })],
  ["a name of a value", json(200, { ...ACCEPT, "reply:Service-Type": "Framed-User" })],
  ["a name that nobody knows", json(200, { ...ACCEPT, "reply:No-Such-Attribute": 1, "reply:Idle-Timeout": 7 })],
  ["a password for pap", json(200, { "control:Cleartext-Password": "open sesame" })],
  ["another password for pap", json(200, { "control:Cleartext-Password": "closed" })],
  ["an empty object", json(200, {})],
  ["nothing", empty(204)],
  ["a page", page],
  ["half of its JSON", half],
  ...[401, 403, 404, 410, 400, 302, 500, 503].map((status) => [`${status} with Accept`, json(status, ACCEPT)] as const),
  ["401 with a message", json(401, { "reply:Reply-Message": "no" })],
];

describe("rest beside rlm_rest of FreeRADIUS", () => {
  it("asks the same, and makes the same of every answer", async (context) => {
    needs(context, "freeradius", "radclient");
    needsRlmRest(context);
    const backEnd = await HttpBackEnd.start();
    const theirs = await startRlmRest(backEnd.origin);
    const hub = await AaaHub.start({ yaml: hubYaml(backEnd.origin) });
    for (const [name, answer] of CASES) {
      backEnd.answer = answer;
      backEnd.seen.length = 0;
      const expected = toldIn(await radclient(theirs, "auth", SECRET, ["Message-Authenticator = 0x00", ...REQUEST]));
      const ours = toldIn(await hub.auth(...REQUEST));
      expect.soft(ours, name).toEqual(expected);
      const [asked, asking] = backEnd.seen;
      expect.soft([asking?.method, asking?.url], name).toEqual([asked?.method, asked?.url]);
      const [their, our] = backEnd.bodies as [Record<string, unknown>, Record<string, unknown>];
      // What FreeRADIUS adds of its own, what is of the hop alone, and what AaaHub says beside the request.
      for (const each of ["Message-Authenticator", "Event-Timestamp", "NAS-Identifier"]) delete their[each];
      delete our["NAS-Identifier"];
      expect.soft(our, name).toEqual(their);
    }
  }, 120_000);
});
