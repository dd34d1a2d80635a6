import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { AccountingRouter, START, startHub } from "../support/accounting-router.ts";
import type { RunningHub } from "../support/running-hub.ts";

/** A receiver that answers as it is told to, and counts. */
async function receiver() {
  const state = { status: 500, received: 0, url: "" };
  const server = createServer((request, response) => {
    request.resume().on("end", () => {
      state.received += 1;
      response.writeHead(state.status).end();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  state.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return state;
}

const yaml = (url: string) => `
accounting: {}
webhooks:
  - { name: billing, url: "${url}", secret: a-secret, topics: [session.started], retry: { times: 1 } }
`;

type Body = Readonly<Record<string, unknown>> & {
  readonly dead_letters: readonly Readonly<Record<string, unknown>>[];
};

async function call(running: RunningHub, path: string, method = "GET") {
  const response = await fetch(running.api + path, { method });
  return { status: response.status, body: (await response.json()) as Body };
}

async function sample(running: RunningHub, name: string): Promise<string | undefined> {
  const text = await (await fetch(`${running.api}/metrics`)).text();
  return text
    .split("\n")
    .find((line) => line.startsWith(`radsec_hub_${name} `))
    ?.split(" ")
    .at(-1);
}

describe("dead letters", () => {
  it("are shown with why, counted, and delivered after all when an operator says so", async () => {
    const billing = await receiver();
    const running = await startHub(yaml(billing.url));
    const router = await AccountingRouter.of(running, "edge-1");
    await router.account(START, "alice", "s1");
    await router.account(START, "bob", "s2");
    await vi.waitFor(async () => expect(await sample(running, 'outbox_messages{state="dead"}')).toBe("2"));
    expect(await sample(running, 'webhook_deliveries_total{webhook="billing",result="failed"}')).toBe("2");

    const { body } = await call(running, "/v1/webhooks/dead-letters?limit=1");
    const more = await call(running, `/v1/webhooks/dead-letters?cursor=${String(body["next_cursor"])}`);
    const letters = [...body.dead_letters, ...more.body.dead_letters];
    const shown = { webhook: "billing", topic: "session.started", attempts: 1, last_error: "HTTP 500" };
    expect(letters).toMatchObject([shown, shown]);
    expect(
      letters.map((letter) => (letter["body"] as { data: { username: string } }).data.username).toSorted(),
    ).toEqual(["alice", "bob"]);

    billing.status = 204;
    const one = `/v1/webhooks/dead-letters/${String(letters[0]?.["message_id"])}/requeue`;
    expect(await call(running, one, "POST")).toMatchObject({ status: 200, body: { requeued: 1 } });
    expect(await call(running, one, "POST")).toMatchObject({ status: 404, body: { code: "not-found" } });
    const all = await call(running, "/v1/webhooks/dead-letters/requeue", "POST");
    expect(all.body).toMatchObject({ requeued: 1, more: false });
    await vi.waitFor(async () => {
      const { body: now } = await call(running, "/v1/webhooks");
      expect(now).toEqual({
        webhooks: [{ name: "billing", delivered: 2, failed: 2, in_flight: 0 }],
        waiting: 0,
        dead_letters: 0,
      });
    });
    expect(billing.received).toBe(4);
    expect(await sample(running, 'webhook_deliveries_total{webhook="billing",result="delivered"}')).toBe("2");
  });

  it("without accounting there is no outbox", async () => {
    const running = await startHub("accounting: { enabled: false }");
    expect((await call(running, "/v1/webhooks")).status).toBe(404);
  });
});
