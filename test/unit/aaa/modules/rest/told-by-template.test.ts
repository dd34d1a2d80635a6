import { describe, expect, it } from "vitest";
import { restSettings } from "../../../../../src/aaa/modules/rest/settings.ts";
import { AnswerTemplates } from "../../../../../src/aaa/modules/rest/told-by-template.ts";

function templates(call: object) {
  const { authorize } = restSettings.parse({ url: "http://127.0.0.1", authorize: { uri: "/", ...call } });
  return AnswerTemplates.of(authorize as NonNullable<typeof authorize>);
}

const CALL = {
  control: { "Auth-Type": "Accept" },
  reply: {
    "Mikrotik-Rate-Limit": "%{json:up}/%{json:down}",
    "Session-Timeout": "%{json:left:-600}",
    "Reply-Message": "Hello %{User-Name}",
    Class: "%{json:empty}",
  },
  rejectReply: { "Reply-Message": "%{json:why}" },
};
const request = (name: string) => (name === "User-Name" ? "bob" : undefined);
const shown = (body: object, rejects = false) =>
  templates(CALL)
    ?.told(body as never, rejects, request)
    .map(({ list, name, op, values }) => `${list}:${name} ${op} ${values.join()}`);

describe("AnswerTemplates", () => {
  it("makes attributes of parts of the answer and of the request", () => {
    expect(shown({ up: "2M", down: "10M", left: 60, empty: "" })).toEqual([
      "control:Auth-Type := Accept",
      "reply:Mikrotik-Rate-Limit := 2M/10M",
      "reply:Session-Timeout := 60",
      "reply:Reply-Message := Hello bob",
    ]);
  });

  it("makes none of a template of which a part is missing, and has its default where there is one", () => {
    expect(shown({ up: "2M" })).toEqual([
      "control:Auth-Type := Accept",
      "reply:Session-Timeout := 600",
      "reply:Reply-Message := Hello bob",
    ]);
  });

  it("tells who is turned away nothing but what is meant for that", () => {
    expect(shown({ up: "2M", down: "10M", why: "no" }, true)).toEqual(["reply:Reply-Message := no"]);
    expect(shown({}, true)).toEqual([]);
  });

  it("is not there where answers have the shape of rlm_rest", () => {
    expect(templates({})).toBeUndefined();
  });
});
