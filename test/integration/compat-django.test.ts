import { describe, expect, it } from "vitest";
import { ACCT_START } from "../support/compat-records.ts";
import { CompatHub, DJANGO_TOKEN, ROUTER_SECRET, routerEntry } from "../support/compat-hub.ts";
import { withPassword } from "../support/aaa-hub.ts";
import { UdpRouter } from "../support/udp-router.ts";

const USERS = [withPassword("alice", "wonderland"), withPassword("off", "wonderland", { disabled: true })];
const ACCEPT = { status: 200, text: '{"control:Auth-Type":"Accept"}' };

describe("the API of django-freeradius", () => {
  it("lets in who knows the password, and says nothing but 200 to everybody else", async () => {
    const hub = await CompatHub.start({ users: USERS });
    expect(await hub.django("authorize/", { username: "alice", password: "wonderland" })).toMatchObject(ACCEPT);
    for (const [username, password] of [
      ["alice", "wrong"],
      ["nobody", "wonderland"],
      ["off", "wonderland"],
      [undefined, undefined],
      ["", ""],
    ]) {
      const answer = await hub.django("authorize/", { username, password });
      expect(answer, username).toMatchObject({ status: 200, text: "" });
      expect(answer.headers.get("Content-Type"), username).toBeNull();
    }
  });

  it("refuses with 401 and Reject where authorizeReject says so", async () => {
    const hub = await CompatHub.start({ users: USERS, compat: "authorizeReject: true" });
    const answer = await hub.django("authorize/", { username: "alice", password: "wrong" });
    expect(answer).toMatchObject({ status: 401, text: '{"control:Auth-Type":"Reject"}' });
  });

  it("answers 403 to a wrong or missing token, 400 to a header of one word; takes a list of credentials and ?token=", async () => {
    const hub = await CompatHub.start({ users: USERS });
    const body = { username: "alice", password: "wonderland" };
    const failed = { status: 403, text: '{"detail":"Token authentication failed"}' };
    for (const authorization of [undefined, "Bearer wrong", `Bearer ${DJANGO_TOKEN}x`]) {
      expect(await hub.call("/api/v1/authorize/", { body, authorization }), authorization).toMatchObject(failed);
    }
    const malformed = await hub.call("/api/v1/authorize/", { body, authorization: DJANGO_TOKEN });
    expect(malformed).toMatchObject({ status: 400, text: '{"detail":"Invalid token"}' });
    const list = await hub.call("/api/v1/authorize/", { body, authorization: `Bearer wrong, Bearer ${DJANGO_TOKEN}` });
    expect(list).toMatchObject(ACCEPT);
    expect(await hub.call(`/api/v1/authorize/?token=${DJANGO_TOKEN}`, { body })).toMatchObject(ACCEPT);
    expect(await hub.call("/api/v1/authorize/?token=wrong", { body })).toMatchObject(failed);
    const either = await hub.call(`/api/v1/authorize/?token=${DJANGO_TOKEN}`, { body, authorization: "Bearer wrong" });
    expect(either).toMatchObject(ACCEPT);
  });

  it("accounts: 201 with the first record, 200 with the others, and POST /disconnect reaches the router", async () => {
    const router = await UdpRouter.open(ROUTER_SECRET, "127.0.0.2");
    const hub = await CompatHub.start({ users: USERS, clients: routerEntry("127.0.0.2", router.port) });
    const interim = {
      ...ACCT_START,
      status_type: "Interim-Update",
      session_time: "60",
      input_octets: "1000",
      output_octets: "5000",
    };
    expect(await hub.django("accounting/", ACCT_START)).toMatchObject({ status: 201, text: "" });
    expect(await hub.django("accounting/", ACCT_START)).toMatchObject({ status: 200, text: "" });
    expect(await hub.django("accounting/", interim)).toMatchObject({ status: 200, text: "" });
    const response = await fetch(`${hub.running.api}/disconnect?username=alice`, { method: "POST" });
    expect(response.status).toBe(200);
    expect(router.received.map(({ attributes }) => attributes.map(({ type }) => type))).toMatchObject([
      expect.arrayContaining([1, 44]),
    ]);
    const stop = { ...interim, status_type: "Stop", session_time: "90", terminate_cause: "User_Request" };
    expect(await hub.django("accounting/", stop)).toMatchObject({ status: 200, text: "" });
    const list = await hub.django("accounting/");
    expect(JSON.parse(list.text)).toMatchObject([
      { unique_id: "75058e50", session_time: 90, terminate_cause: "User_Request" },
    ]);
    expect((await fetch(`${hub.running.api}/disconnect?username=alice`, { method: "POST" })).status).toBe(404);
  });
});
