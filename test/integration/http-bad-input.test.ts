import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ATTRIBUTE } from "../../src/radius/attribute.ts";
import { type RunningApi, startApi } from "../support/http-api.ts";
import { rawAnswer } from "../support/raw-http.ts";

const JSON_TYPE = "application/json";
const FORM_TYPE = "application/x-www-form-urlencoded";

let hub: RunningApi;
beforeAll(async () => {
  hub = await startApi({ bodyBytesMax: 1_000, timeoutMaxMs: 30_000, headerTimeoutMs: 300, requestTimeoutMs: 600 });
});
afterAll(() => hub.stop());
beforeEach(() => {
  hub.dynauth.requests.length = 0;
});

async function send(path: string, body?: string | Buffer, type?: string, method = "POST") {
  const headers: Record<string, string> = type === undefined ? {} : { "Content-Type": type };
  const response = await fetch(hub.url + path, {
    method,
    headers,
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

describe("fields", () => {
  it.each([
    {
      name: "an unknown field with what was meant",
      query: "nas_identifer=e&username=m",
      field: "nas_identifer",
      detail: "did you mean nas_identifier?",
    },
    {
      name: "a RADIUS name in place of a field",
      query: "nas_identifier=e&User-Name=m",
      field: "User-Name",
      detail: "did you mean username?",
    },
    {
      name: "an unknown field like no other",
      query: "nas_identifier=e&username=m&zzz=1",
      field: "zzz",
      detail: "unknown field",
    },
    { name: "an empty value", query: "nas_identifier=e&username=", field: "username", detail: "must not be empty" },
    {
      name: "a field without value",
      query: "nas_identifier=e&username=m&force",
      field: "force",
      detail: "must be true or false",
    },
    { name: "a NUL character", query: "nas_identifier=e&username=a\u0000b", field: "username", detail: "NUL" },
    {
      name: "254 octets",
      query: `nas_identifier=e&username=${"a".repeat(254)}`,
      field: "username",
      detail: "253 octets",
    },
    {
      name: "an address that is none",
      query: "nas_identifier=e&framed_ip=10.1",
      field: "framed_ip",
      detail: "IP address",
    },
    {
      name: "a port beyond 32 bits",
      query: "nas_identifier=e&nas_port=4294967296",
      field: "nas_port",
      detail: "4294967295",
    },
    {
      name: "a port that is no number",
      query: "nas_identifier=e&nas_port=1e3",
      field: "nas_port",
      detail: "whole number",
    },
    {
      name: "a timeout of nothing",
      query: "nas_identifier=e&username=m&timeout=0",
      field: "timeout",
      detail: "more than 0",
    },
    {
      name: "a timeout beyond the limit",
      query: "nas_identifier=e&username=m&timeout=31s",
      field: "timeout",
      detail: "at most 30 s",
    },
    {
      name: "a timeout in another unit",
      query: "nas_identifier=e&username=m&timeout=1h",
      field: "timeout",
      detail: "10s",
    },
    {
      name: "the same field twice, differently",
      query: "nas_identifier=e&username=m&username=n",
      field: "username",
      detail: "given twice",
    },
    {
      name: "an unknown attribute",
      query: `nas_identifier=e&username=m&attributes={"No-Such":1}`,
      field: "attributes.No-Such",
      detail: "unknown attribute",
    },
    {
      name: "an attribute value of the wrong type",
      query: `nas_identifier=e&username=m&attributes={"Session-Timeout":"x"}`,
      field: "attributes.Session-Timeout",
      detail: "Session-Timeout",
    },
    {
      name: "an attribute value that is an object",
      query: `nas_identifier=e&username=m&attributes={"Class":{}}`,
      field: "attributes.Class",
      detail: "must be text",
    },
    {
      name: "attributes that are no object",
      query: "nas_identifier=e&username=m&attributes=5",
      field: "attributes",
      detail: "must be an object",
    },
    {
      name: "a list entry without a value",
      query: `nas_identifier=e&username=m&attributes=[{"name":"Class"}]`,
      field: "attributes.0",
      detail: "{name, value}",
    },
    {
      name: "an attribute that contradicts its field",
      query: `nas_identifier=e&username=m&attributes={"User-Name":"n"}`,
      field: "attributes.User-Name",
      detail: "differs",
    },
    {
      name: "a NAS-Identifier that contradicts its field",
      query: `nas_identifier=e&username=m&attributes={"NAS-Identifier":"f"}`,
      field: "nas_identifier",
      detail: "link_id",
    },
  ])("422 for $name", async ({ query, field, detail }) => {
    const answer = await send(`/disconnect?${encodeURI(query)}`);
    expect(answer.status).toBe(422);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({
      code: "bad-input",
      errors: [{ field, detail: expect.stringContaining(detail) }],
    });
    expect(hub.dynauth.requests).toEqual([]);
  });

  it("422 lists every mistake at once", async () => {
    const { body } = await send("/disconnect?usrname=m&nas_port=x&framed_ip=y");
    expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
      "framed_ip",
      "nas_port",
      "usrname",
    ]);
  });

  it("422 when query and body contradict each other; the same twice is one", async () => {
    const path = "/disconnect?nas_identifier=e&username=m&nas_port=5";
    const contradiction = await send(path, "username=n", FORM_TYPE);
    expect(contradiction.status).toBe(422);
    expect(contradiction.body).toMatchObject({
      errors: [{ field: "username", detail: "given twice with different values" }],
    });
    expect((await send(path, '{"username":"m","nas_port":5}', JSON_TYPE)).status).toBe(200);
  });

  it("422 no-target says what to give", async () => {
    const { status, body } = await send("/disconnect?username=m");
    expect(status).toBe(422);
    expect(body).toMatchObject({
      code: "no-target",
      detail: expect.stringContaining("nas_identifier, nas_ip_address or link_id"),
    });
  });

  it.each([
    { name: "code 0", code: 0 },
    { name: "code 256", code: 256 },
    { name: "a name that is none", code: "Disconect" },
    { name: "no code", code: undefined },
  ])("/v1/exchanges refuses $name", async ({ code }) => {
    const { status, body } = await send("/v1/exchanges", JSON.stringify({ code, nas_identifier: "e" }), JSON_TYPE);
    expect(status).toBe(422);
    expect(body).toMatchObject({ errors: [{ field: "code" }] });
  });
});

describe("fields that are right", () => {
  it("each becomes its attribute", async () => {
    const fields = {
      nas_identifier: "0xff00",
      username: "mikem",
      session_id: "0x00A1",
      calling_station_id: "00-11-22-33-44-55",
      called_station_id: "ap:ssid",
      framed_ip: "10.0.0.1",
      acct_multi_session_id: "m1",
      chargeable_user_identity: "0x0102",
      nas_port: 7,
      nas_port_id: "eth0",
      class: "0x03",
      force: "1",
      timeout: "500ms",
    };
    const answers = [
      await send("/disconnect", JSON.stringify(fields), JSON_TYPE),
      await send("/disconnect", new URLSearchParams({ ...fields, nas_port: "7" }).toString(), FORM_TYPE),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    const [json, form] = hub.dynauth.requests;
    expect(json).toMatchObject({ target: { nasIdentifier: "\u00ff\u0000" }, force: true, timeoutMs: 500 });
    const shown = json?.attributes.map(({ type, value }) => [type, value.toString("latin1")]);
    expect(new Map(shown as [number, string][])).toEqual(
      new Map<number, string>([
        [ATTRIBUTE.userName, "mikem"],
        [ATTRIBUTE.acctSessionId, "0x00A1"], // Acct-Session-Id is text, and often looks like hexadecimal
        [ATTRIBUTE.callingStationId, "00-11-22-33-44-55"],
        [ATTRIBUTE.calledStationId, "ap:ssid"],
        [ATTRIBUTE.framedIpAddress, "\u000a\u0000\u0000\u0001"],
        [ATTRIBUTE.acctMultiSessionId, "m1"],
        [ATTRIBUTE.chargeableUserIdentity, "\u0001\u0002"],
        [ATTRIBUTE.nasPort, "\u0000\u0000\u0000\u0007"],
        [ATTRIBUTE.nasPortId, "eth0"],
        [ATTRIBUTE.class, "\u0003"],
      ]),
    );
    expect(form?.attributes).toEqual(json?.attributes);
    expect(form?.target).toEqual(json?.target);
  });

  it("an IPv6 framed_ip is Framed-IPv6-Address (RFC 6911 Section 3.1)", async () => {
    await send("/disconnect?nas_identifier=e&framed_ip=2001:db8::1");
    expect(hub.dynauth.requests[0]?.attributes).toMatchObject([{ type: 168 }]);
  });

  it("IDX-03 the NAS named among the attributes is the target", async () => {
    const attributes = { "NAS-Identifier": "ap7", "NAS-IP-Address": "192.0.2.7", "User-Name": "m" };
    await send("/v1/exchanges", JSON.stringify({ code: 40, attributes }), JSON_TYPE);
    expect(hub.dynauth.requests[0]?.target).toEqual({ nasIdentifier: "ap7", nasAddress: "192.0.2.7" });
  });

  it("link_id decides the link, whatever NAS the packet names", async () => {
    const attributes = { "NAS-Identifier": "ap7", "User-Name": "m" };
    await send("/disconnect", JSON.stringify({ link_id: "n1-9", attributes }), JSON_TYPE);
    expect(hub.dynauth.requests[0]?.target).toEqual({ linkId: "n1-9" });
  });

  it.each([
    { name: "escaped", username: "%C3%A9", status: 200 },
    // Not RFC 3986, and node:http reads no such target: refused in words, never sent to somebody else.
    { name: "bare", username: "\u00c3\u00a9", status: 400 },
  ])("UTF-8 in the query, $name: $status", async ({ username, status }) => {
    const target = `/disconnect?nas_identifier=e&username=${username}`;
    const answer = await rawAnswer(hub.port, `POST ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    expect(answer).toContain(`HTTP/1.1 ${status}`);
    if (status === 200) expect(hub.dynauth.requests[0]?.attributes[0]?.value.toString()).toBe("é");
    else expect(answer).toContain("percent-encoded");
  });
});

describe("bodies", () => {
  it.each([
    { name: "a trailing comma", body: '{"username":"m",}', position: "line 1, column 17" },
    { name: "no JSON at all", body: "hello", position: "line 1, column 1" },
    { name: "the second line", body: '{\n "a": tru }', position: "line 2, column 7" },
    { name: "an end in the middle", body: '{"a":', position: "line 1, column 6" },
    { name: "two values", body: "{} {}", position: "line 1, column 4" },
    { name: "a member twice", body: '{"username":"a","username":"b"}', position: "line 1, column 17" },
    { name: "half a surrogate pair", body: '{"username":"\\ud800"}', position: "line 1, column 13" },
    {
      name: "an integer that a double would change",
      body: '{"nas_port":9007199254740993}',
      position: "line 1, column 13",
    },
    { name: "too many levels", body: "[".repeat(17), position: "line 1, column 17" },
  ])("400 with the position for JSON with $name", async ({ body, position }) => {
    const answer = await send("/disconnect?nas_identifier=e", body, JSON_TYPE);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "malformed-body", detail: expect.stringContaining(position) });
  });

  it.each([
    { name: "a JSON array", body: "[]", status: 422, code: "bad-input" },
    { name: "a body that is not UTF-8", body: Buffer.from([0x7b, 0xff, 0x7d]), status: 400, code: "malformed-body" },
    { name: "null for a field", body: '{"nas_identifier":"e","username":null}', status: 422, code: "bad-input" },
    {
      name: "__proto__ as a field",
      body: '{"nas_identifier":"e","username":"m","__proto__":{}}',
      status: 422,
      code: "bad-input",
    },
  ])("$status for $name", async ({ body, status, code }) => {
    const answer = await send("/disconnect", body, JSON_TYPE);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ code });
  });

  it.each(["username=%zz", "username=%ff", "%"])("400 for the form %s", async (body) => {
    const answer = await send("/disconnect?nas_identifier=e", body, FORM_TYPE);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code: "malformed-request" });
  });

  it.each([undefined, "text/plain", "multipart/form-data; boundary=x", "application/json; charset=latin1"])(
    "415 for a body of %s",
    async (type) => {
      const answer = await send("/disconnect?nas_identifier=e&username=m", "{}", type);
      expect(answer.status).toBe(415);
      expect(answer.body).toMatchObject({ code: "unsupported-media-type" });
    },
  );

  it("415 for a compressed body", async () => {
    const headers = { "Content-Type": JSON_TYPE, "Content-Encoding": "gzip" };
    const response = await fetch(`${hub.url}/disconnect`, { method: "POST", headers, body: "{}" });
    expect(response.status).toBe(415);
  });

  it("413 for an announced body of 1001 octets, 200 for 1000", async () => {
    const padded = (size: number) => `{"nas_identifier":"e","username":"m"${" ".repeat(size - 37)}}`;
    const tooLarge = await send("/disconnect", padded(1_001), JSON_TYPE);
    expect(tooLarge.status).toBe(413);
    expect(tooLarge.body).toMatchObject({ code: "body-too-large", body_bytes_max: 1_000 });
    expect((await send("/disconnect", padded(1_000), JSON_TYPE)).status).toBe(200);
  });

  it("413 for an announced body before any of it came", async () => {
    const answer = await rawAnswer(
      hub.port,
      `POST /disconnect HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${JSON_TYPE}\r\nContent-Length: 1001\r\n\r\n`,
    );
    expect(answer).toContain("HTTP/1.1 413");
  });

  it("413 for a body without Content-Length as soon as the limit is passed", async () => {
    const chunk = `${(600).toString(16)}\r\n${"a".repeat(600)}\r\n`;
    const answer = await rawAnswer(
      hub.port,
      `POST /disconnect HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${JSON_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}${chunk}`,
    );
    expect(answer).toContain("HTTP/1.1 413");
    expect(answer.toLowerCase()).toContain("connection: close");
  });
});
