import { describe, expect, it } from "vitest";
import { LinkIndex } from "../../../src/registry/link-index.ts";
import { LiveRecord } from "../../../src/registry/live-record.ts";
import { FakeLink } from "../../support/fake-link.ts";
import { ids } from "./harness.ts";

const [one, two] = ["one", "two"].map((linkId, step) => new LiveRecord(new FakeLink({ linkId }), step)) as [
  LiveRecord,
  LiveRecord,
];

describe("LinkIndex", () => {
  it("IDX-06 goes from none to one to two links and back, and forgets a key without links", () => {
    const index = new LinkIndex();
    index.add("key", one);
    index.add("key", one);
    expect([ids(index.find("key")), index.sizeOf("key")]).toEqual([["one"], 1]);
    index.add("key", two);
    expect([ids(index.find("key")), index.sizeOf("key")]).toEqual([["one", "two"], 2]);
    index.remove("key", one);
    expect([ids(index.find("key")), index.sizeOf("key")]).toEqual([["two"], 1]);
    index.remove("key", two);
    expect([ids(index.find("key")), index.sizeOf("key"), index.size]).toEqual([[], 0, 0]);
  });

  it("remove() of a link that is not under the key leaves the others", () => {
    const index = new LinkIndex();
    index.add("key", one);
    index.remove("key", two);
    index.remove("other", one);
    expect([ids(index.find("key")), index.size]).toEqual([["one"], 1]);
  });
});
