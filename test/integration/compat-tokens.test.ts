import { describe, expect, it } from "vitest";
import { withPassword } from "../support/aaa-hub.ts";
import { CompatHub, ORGANIZATION } from "../support/compat-hub.ts";

const USERS = [withPassword("alice", "wonderland"), withPassword("off", "wonderland", { disabled: true })];
const ON = { users: USERS, compat: "userTokens: true" };
const LOGIN_FAILED = '{"non_field_errors":["Unable to log in with provided credentials."]}';

async function issued(hub: CompatHub): Promise<{ radius_user_token: string; key: string }> {
  const { status, text } = await hub.call("/api/v1/account/token/", {
    body: { username: "alice", password: "wonderland" },
  });
  expect(status).toBe(200);
  return JSON.parse(text) as { radius_user_token: string; key: string };
}

function authorize(hub: CompatHub, username: string, password: string) {
  return hub.django("authorize/", { username, password });
}

describe("tokens of users", () => {
  it("are off unless hub.yaml switches them on", async () => {
    const hub = await CompatHub.start({ users: USERS });
    for (const path of ["/api/v1/account/token/", "/api/v1/account/token/validate/"]) {
      const answer = await hub.call(path, { body: { username: "alice", password: "wonderland" } });
      expect(answer).toMatchObject({ status: 404, text: '{"detail":"Not found."}' });
    }
  });

  it("have 40 characters and are good once as the password, of their user alone", async () => {
    const hub = await CompatHub.start(ON);
    const { radius_user_token: token, key } = await issued(hub);
    expect([token, key]).toEqual([expect.stringMatching(/^[0-9a-f]{40}$/), expect.stringMatching(/^[0-9a-f]{40}$/)]);
    expect((await authorize(hub, "off", token)).text).toBe("");
    expect((await authorize(hub, "alice", key)).text).toBe("");
    expect((await authorize(hub, "alice", token)).text).toBe('{"control:Auth-Type":"Accept"}');
    expect((await authorize(hub, "alice", token)).text).toBe("");
    expect((await authorize(hub, "alice", "wonderland")).text).toBe('{"control:Auth-Type":"Accept"}');
  });

  it("let one in of two who use the same token at the same time", async () => {
    const hub = await CompatHub.start(ON);
    const { radius_user_token: token } = await issued(hub);
    const answers = await Promise.all([1, 2, 3, 4].map(() => authorize(hub, "alice", token)));
    expect(answers.filter(({ text }) => text !== "").length).toBe(1);
  });

  it("are of no use once their user is disabled", async () => {
    const hub = await CompatHub.start(ON);
    const { radius_user_token: token, key } = await issued(hub);
    const { revision: _, changedAtMs: __, ...alice } = withPassword("alice", "wonderland", { disabled: true });
    const put = await fetch(`${hub.running.api}/v1/users/alice`, {
      method: "PUT",
      headers: { "Content-Type": "application/json", "If-Match": "*" },
      body: JSON.stringify({ disabled: alice.disabled }),
    });
    expect(put.status).toBe(200);
    expect((await authorize(hub, "alice", token)).text).toBe("");
    const answer = await hub.call("/api/v1/account/token/validate/", { body: { token: key } });
    expect(answer.status).toBe(401);
  });

  it("are refused alike to a wrong password, an unknown and a disabled user", async () => {
    const hub = await CompatHub.start(ON);
    for (const [username, password] of [
      ["alice", "wrong"],
      ["nobody", "wonderland"],
      ["off", "wonderland"],
    ]) {
      const answer = await hub.call("/api/v1/account/token/", { body: { username, password } });
      expect(answer, username).toMatchObject({ status: 400, text: LOGIN_FAILED });
    }
    const missing = await hub.call("/api/v1/account/token/", { body: { username: "alice" } });
    expect(missing).toMatchObject({ status: 400, text: '{"password":["This field is required."]}' });
  });

  it("validate/ gives the owner of a key a new token", async () => {
    const hub = await CompatHub.start(ON);
    const { key } = await issued(hub);
    const { status, text } = await hub.call("/api/v1/account/token/validate/", { body: { token: key } });
    const body = JSON.parse(text) as Record<string, string>;
    expect([status, body["response_code"], body["auth_token"]]).toEqual([200, "AUTH_TOKEN_VALIDATION_SUCCESSFUL", key]);
    expect((await authorize(hub, "alice", body["radius_user_token"] ?? "")).text).toBe(
      '{"control:Auth-Type":"Accept"}',
    );
    for (const token of ["", "x", key.replace(/./g, "0")]) {
      const blank = await hub.call("/api/v1/account/token/validate/", { body: { token } });
      expect(blank).toMatchObject({ status: 401, text: '{"response_code":"BLANK_OR_INVALID_TOKEN"}' });
    }
  });

  it("stand in the store as hashes alone", async () => {
    const hub = await CompatHub.start(ON);
    const { radius_user_token: token, key } = await issued(hub);
    const kinds = ["user-token", "api-key", "token-holder"] as const;
    const kept = [];
    for (const kind of kinds)
      kept.push(...((await hub.running.hub.store?.apiRecords.list(kind, { limit: 9 }))?.items ?? []));
    expect(kept.map(({ kind }) => kind)).toEqual(kinds);
    for (const secret of [token, key]) expect(JSON.stringify(kept)).not.toContain(secret);
  });

  it("speak for the one organization of openwisp-radius where FreeRADIUS shows no token of the API", async () => {
    const hub = await CompatHub.start(ON);
    const path = "/api/v1/freeradius/authorize/";
    const body = { username: "alice", password: "wonderland" };
    expect((await hub.call(path, { body })).status).toBe(403);
    const { radius_user_token: password } = await issued(hub);
    expect(await hub.call(path, { body: { ...body, password } })).toMatchObject({
      status: 200,
      text: expect.stringContaining("Accept"),
    });
    const list = await hub.openwisp("accounting/");
    expect([list.status, ORGANIZATION.name]).toEqual([200, "default"]);
  });
});
