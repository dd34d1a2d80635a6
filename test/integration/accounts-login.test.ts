import { describe, expect, it } from "vitest";
import { textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { hideUserPassword } from "../../src/radius/hidden.ts";
import { startHub } from "../support/accounting-router.ts";
import { RawNas } from "../support/raw-nas.ts";

const AUTHENTICATOR = Buffer.alloc(16, 9);
const YAML = `
accounting: {}
radsec: [{ port: 0, secret: radsec }]
clients: [{ name: routers, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, vendor: mikrotik }]
users: { guesses: { user: 3 } }
`;

/** A router, and users made over HTTP. */
async function hotspot() {
  const running = await startHub(YAML);
  const nas = await RawNas.dial(running.radsecPort, await running.credentials("edge-1"));
  await nas.register("edge-1");
  let identifier = 0;
  const login = async (username: string, password: string) => {
    const hidden = hideUserPassword(Buffer.from(password), RADSEC_SECRET, AUTHENTICATOR);
    const attributes = [
      textAttribute(1, username),
      { type: 2, value: hidden },
      textAttribute(31, "00-11-22-AA-BB-CC"),
      textAttribute(32, "edge-1"),
    ];
    const index = nas.received.length;
    identifier += 1;
    nas.send(encodeRequest(CODE.accessRequest, identifier, attributes, AUTHENTICATOR, RADSEC_SECRET));
    const reply = await nas.packet(index);
    const shown = running.hub.dictionary
      .decode(reply.attributes)
      .filter(({ name }) => !["Message-Authenticator", "Class", "Proxy-State"].includes(name))
      .map(({ name, value }) => `${name}=${value}`);
    return reply.code === CODE.accessAccept ? ["accept", ...shown] : ["reject", ...shown];
  };
  const put = async (path: string, body: object) => {
    const has = (await fetch(running.api + path)).status === 200;
    const headers = { "content-type": "application/json", ...(has ? { "if-match": "*" } : {}) };
    const { status } = await fetch(running.api + path, { method: "PUT", headers, body: JSON.stringify(body) });
    expect([200, 201]).toContain(status);
  };
  return { login, put };
}

describe("users and plans made over HTTP, at the next login", () => {
  it("get their plan in the Access-Accept, and each change at once", async () => {
    const { login, put } = await hotspot();
    await put("/v1/plans/gold", {
      rate_down: "10M",
      rate_up: "2M",
      session_timeout: 3600,
      idle_timeout: 600,
      port_limit: 4,
    });
    expect(await login("alice", "one")).toEqual(["reject"]);
    await put("/v1/users/alice", { password: "one", plan: "gold" });
    const gold = ["Acct-Interim-Interval=120", "Idle-Timeout=600", "Port-Limit=4", "Session-Timeout=3600"];
    const accepted = ["accept", "Mikrotik-Rate-Limit=2M/10M", ...gold];
    expect(await login("alice", "one")).toEqual(accepted);
    expect(await login("alice", "one")).toEqual(accepted);

    await put("/v1/users/alice", { plan: "gold", valid_until: new Date(Date.now() + 100_000).toISOString() });
    expect((await login("alice", "one")).at(-1)).toMatch(/^Session-Timeout=(9\d|100)$/);
    await put("/v1/users/alice", { password: "two", overrides: { rate_down: "1M" } });
    expect(await login("alice", "one")).toEqual(["reject"]);
    expect(await login("alice", "two")).toEqual(["accept", "Mikrotik-Rate-Limit=0/1M", "Acct-Interim-Interval=120"]);
  });

  it.each([
    ["disabled", { disabled: true }],
    ["expired", { valid_until: "2020-01-01" }],
    ["not valid yet", { valid_from: "2090-01-01" }],
  ])("do not get in when %s, whether or not the password is right", async (_what, change) => {
    const { login, put } = await hotspot();
    await put("/v1/users/alice", { password: "one" });
    expect((await login("alice", "one"))[0]).toBe("accept");
    await put("/v1/users/alice", change);
    expect((await login("alice", "one"))[0]).toBe("reject");
    // Who does not know the password learns no more of this user than of one who is not there.
    expect(await login("alice", "wrong")).toEqual(await login("nobody", "wrong"));
  });

  it("do not get in after too many wrong passwords, until an operator changes them", async () => {
    const { login, put } = await hotspot();
    await put("/v1/users/alice", { password: "one" });
    for (const guess of ["a", "b", "c"]) expect(await login("alice", guess)).toEqual(["reject"]);
    expect(await login("alice", "one")).toEqual(["reject"]);
    await put("/v1/users/alice", { password: "two" });
    expect((await login("alice", "two"))[0]).toBe("accept");
  });
});
