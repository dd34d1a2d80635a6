import { describe, expect, it } from "vitest";
import { pageLinks, pageOf } from "../../../src/http/compat/page-links.ts";

function page(query: string, items = 250) {
  return pageOf(new URLSearchParams(query), items);
}

describe("pages of the lists of other systems", () => {
  it.each([
    ["", 10],
    ["page_size=1", 1],
    ["page_size=100", 100],
    ["page_size=101", 100],
    ["page_size=999999999", 100],
    ["page_size=0", 10],
    ["page_size=-5", 10],
    ["page_size=ten", 10],
    ["page_size=", 10],
  ])("have 10 items, or what page_size says up to 100: %j", (query, size) => {
    expect(page(query)?.size).toBe(size);
  });

  it.each(["page=0", "page=-1", "page=26", "page=x", "page=1.5"])("are not there: %s", (query) => {
    expect(page(query)).toBeUndefined();
  });

  it("have a first and a last one, also of nothing", () => {
    expect(page("page=25")).toEqual({ number: 25, size: 10, first: 240, last: 25 });
    expect(page("page=last")).toEqual(page("page=25"));
    expect(page("", 0)).toEqual({ number: 1, size: 10, first: 0, last: 1 });
  });

  it("are linked with the query of the caller, in the order of the alphabet, at Host or publicUrl", () => {
    const query = new URLSearchParams("username=a b&page=2&is_open=true");
    const incoming = { url: "/api/v1/accounting/?page=2", headers: { host: "hub:4000" } };
    const own = (publicUrl: string | undefined) =>
      pageLinks(incoming, query, { number: 2, size: 10, first: 10, last: 3 }, { publicUrl });
    const rest = "api/v1/accounting/?is_open=true";
    expect(own(undefined)).toBe(
      [
        `<http://hub:4000/${rest}&username=a+b>; rel="first"`,
        `<http://hub:4000/${rest}&page=3&username=a+b>; rel="next"`,
        `<http://hub:4000/${rest}&username=a+b>; rel="prev"`,
        `<http://hub:4000/${rest}&page=3&username=a+b>; rel="last"`,
      ].join(", "),
    );
    expect(own("https://x")).toContain(`<https://x/${rest}`);
  });
});
