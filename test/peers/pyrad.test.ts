import { beforeEach, describe, expect, it } from "vitest";
import { ATTRIBUTE, integerAttribute } from "../../src/radius/attribute.ts";
import { RADSEC_SECRET, verifyRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { runToEnd } from "../support/program.ts";
import { RawNas } from "../support/raw-nas.ts";
import { RunningHub } from "../support/running-hub.ts";

/** The one that Debian's python3-pyrad is for. */
const PYTHON = "/usr/bin/python3";
const SECRET = "a-secret-of-openwisp";

/** What openwisp-radius does to change a session: CreateCoAPacket(), SendPacket(), and a look at the code. Prints code and Error-Cause. */
const SCRIPT = `
import io, sys
from pyrad.client import Client
from pyrad.dictionary import Dictionary

words = "ATTRIBUTE User-Name 1 string\\nATTRIBUTE NAS-Identifier 32 string\\nATTRIBUTE Acct-Session-Id 44 string\\nATTRIBUTE Session-Timeout 27 integer\\nATTRIBUTE Error-Cause 101 integer\\n"
client = Client(server="127.0.0.1", coaport=int(sys.argv[1]), secret=b"${SECRET}", dict=Dictionary(io.StringIO(words)))
client.timeout = 5
request = client.CreateCoAPacket(code=int(sys.argv[2]))
request["User-Name"] = "nemo"
request["NAS-Identifier"] = sys.argv[3]
request["Acct-Session-Id"] = "a1"
if request.code == 43:
    request["Session-Timeout"] = 60
reply = client.SendPacket(request)
print(reply.code, *reply["Error-Cause"] if "Error-Cause" in reply else [])
`;

async function network() {
  const dynauthPort = await freeUdpPort();
  const hub = await RunningHub.start({
    yaml: `
udp: [{ name: dac, addresses: [127.0.0.1], dynauthPort: ${dynauthPort} }]
clients:
  - { name: openwisp, transport: udp, match: { network: 127.0.0.1/32 }, secret: ${SECRET}, mayTrigger: true }
  - { name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true } }
`,
  });
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await nas.register("nas-07");
  const ask = async (code: number, nasIdentifier = "nas-07") => {
    const words = ["-", String(dynauthPort), String(code), nasIdentifier];
    return (await runToEnd(PYTHON, words, SCRIPT)).output.trim();
  };
  return { nas, ask };
}

describe("pyrad, as openwisp-radius uses it, at the dynauth port of a running hub", () => {
  beforeEach(async (context) => {
    const found = await runToEnd(PYTHON, ["-c", "import pyrad"]).catch(() => ({ code: 1 }));
    if (found.code !== 0) context.skip("pyrad is not installed");
  });

  it.each([
    [CODE.coaRequest, CODE.coaAck, [1, 27, 32, 44]],
    [CODE.disconnectRequest, CODE.disconnectAck, [1, 32, 44]],
  ])(
    "BR-05 DP-26 its request %i without Message-Authenticator reaches the router with one, and it believes the answer %i",
    async (code, ack, types) => {
      const { nas, ask } = await network();
      const asking = ask(code);
      const request = await nas.packet(1);
      expect(verifyRequest(request, RADSEC_SECRET)).toBe("ok");
      const [first, ...rest] = request.attributes.map(({ type }) => type);
      expect(first).toBe(ATTRIBUTE.messageAuthenticator);
      expect(rest.toSorted((a, b) => a - b)).toEqual([...types, ATTRIBUTE.eventTimestamp]);
      nas.answer(request);
      expect(await asking).toBe(String(ack));
    },
  );

  it("DP-14 DP-26 a NAK comes with its Error-Cause, be it the router's or the hub's", async () => {
    const { nas, ask } = await network();
    const asking = ask(CODE.coaRequest);
    nas.answer(await nas.packet(1), CODE.coaNak, [integerAttribute(ATTRIBUTE.errorCause, 503)]);
    expect(await asking).toBe(`${CODE.coaNak} 503`);
    expect(await ask(CODE.coaRequest, "nobody")).toBe(`${CODE.coaNak} 403`);
  });
});
