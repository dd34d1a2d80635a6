import { describe, expect, it } from "vitest";
import type { AcctSession } from "../../src/store/acct-session.ts";
import { storeError } from "../../src/store/store-error.ts";
import type { Page } from "../../src/store/types.ts";
import { startApi } from "../support/http-api.ts";

const ACCT_SESSION: AcctSession = {
  key: "edge-1/s1",
  nasKey: "edge-1",
  acctSessionId: "s1",
  generation: 0,
  username: "alice",
  open: true,
  closeCause: undefined,
  closedAtMs: undefined,
  terminateCause: undefined,
  startedAtMs: 0,
  countedAtMs: 0,
  heardAtMs: 0,
  staleAfterMs: 900_000,
  sessionSeconds: undefined,
  uploadOctets: 0,
  downloadOctets: 0,
  gigawordsSeen: false,
  startSeen: true,
  usernames: 1,
  facts: {},
};

/** Pages of the index; where one is missing the store goes down. */
async function exportOf(format: string, pages: readonly number[]) {
  let page = 0;
  const find = (): Promise<Page<AcctSession>> => {
    const count = pages[page];
    page += 1;
    if (count === undefined) return Promise.reject(storeError("down", "the store is not open"));
    const items = Array.from({ length: count }, (_, index) => ({ ...ACCT_SESSION, key: `edge-1/${page}-${index}` }));
    return Promise.resolve({ items, next: String(page) });
  };
  const hub = await startApi({}, { acctSessions: { find, one: () => Promise.resolve(undefined) } });
  try {
    const response = await fetch(`${hub.url}/v1/sessions?format=${format}`);
    let text = "";
    const decoder = new TextDecoder();
    try {
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true });
      return { status: response.status, ended: "clean", text, log: hub.lines };
    } catch {
      return { status: response.status, ended: "broken off", text, log: hub.lines };
    }
  } finally {
    await hub.stop();
  }
}

describe("an export whose store goes down", () => {
  it.each([
    ["csv", [1]],
    ["csv", [1_000, 1_000]],
    ["ndjson", [1, 2]],
    ["ndjson", [1_000, 1]],
  ])("%s: breaks off after pages of %j, so that what is cut short does not look whole", async (format, pages) => {
    const { status, ended, text, log } = await exportOf(format, pages);
    expect([status, ended]).toEqual([200, "broken off"]);
    expect(text).toMatch(format === "csv" ? /^(?:key,.*\r\n(?:edge-1.*\r\n)*)?$/ : /^(?:\{"key":"edge-1.*\}\n)*$/);
    expect(log.join()).toContain("an export broke off");
  });

  it.each(["csv", "ndjson"])("%s: is a problem as long as nothing has been sent", async (format) => {
    const { status, ended, text } = await exportOf(format, []);
    expect([status, ended]).toEqual([503, "clean"]);
    expect(JSON.parse(text)).toMatchObject({ code: "store-down" });
  });
});
