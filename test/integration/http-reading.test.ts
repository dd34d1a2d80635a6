import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { CLOSE_REASONS, DROP_REASONS } from "../../src/transport/link.ts";
import { REFUSAL_REASONS } from "../../src/transport/refusal.ts";
import { learnName, PaperLink, type RunningApi, startApi } from "../support/http-api.ts";

let hub: RunningApi;
beforeEach(async () => {
  hub = await startApi();
});
afterEach(() => hub.stop());

async function read(path: string, method = "GET") {
  const response = await fetch(hub.url + path, { method });
  const text = await response.text();
  return { status: response.status, text, body: text.startsWith("{") ? JSON.parse(text) : undefined };
}

const linkIds = (body: { links: { link_id: string }[] }) => body.links.map(({ link_id: linkId }) => linkId);

describe("GET /v1/links", () => {
  it("shows what is known of a link, IDX-05 names of odd octets as hexadecimal", async () => {
    const link = hub.addLink(new PaperLink("n1-1", { name: "edge-1" }));
    learnName(hub.registry, link, Buffer.from("münchen"));
    learnName(hub.registry, link, Buffer.from([0xff, 0x00]));
    const { body } = await read("/v1/links");
    expect(body).toEqual({
      links: [
        {
          link_id: "n1-1",
          kind: "tls",
          fallback: false,
          listener: "radsec",
          client: "routers",
          peer: { kind: "psk", label: "edge-1", identity: "edge-1" },
          address: "192.0.2.1",
          port: 40_000,
          protocol: "TLSv1.3",
          connected_at: "2023-11-14T22:13:20.000Z",
          last_seen_at: expect.stringMatching(/^\d{4}-.*Z$/),
          nas_identifiers: ["münchen", "0xff00"],
          nas_addresses: [],
          in_flight: 1,
          queued: 2,
        },
      ],
      next_cursor: null,
    });
    const single = await read("/v1/links/n1-1");
    expect(single.body).toMatchObject({ link_id: "n1-1", status_attributes: [{ name: "NAS-Identifier" }] });
  });

  it.each([
    ["nas_identifier=one", ["a"]],
    [`nas_identifier=0x${Buffer.from("one").toString("hex")}`, ["a"]],
    ["nas_identifier=ONE", []],
    ["peer=edge-b", ["b"]],
    ["peer=psk:edge-b", ["b"]],
    ["client=routers", ["a", "b"]],
    ["client=others", []],
    ["listener=second", ["b"]],
    ["address=2001:DB8::1", ["b"]],
    ["listener=second&peer=edge-a", []],
  ])("filters by %s", async (query, expected) => {
    learnName(hub.registry, hub.addLink(new PaperLink("a", { name: "edge-a" })), Buffer.from("one"));
    hub.addLink(new PaperLink("b", { name: "edge-b", listener: "second", address: "2001:db8::1" }));
    expect(linkIds((await read(`/v1/links?${query}`)).body)).toEqual(expected);
  });

  it("pages in the order of connecting; what comes and goes in between is neither lost nor doubled", async () => {
    const links = ["c", "a", "b", "d", "e"].map((linkId, index) =>
      hub.addLink(new PaperLink(linkId, { connectedAtMs: 1_000 + index })),
    );
    const first = await read("/v1/links?limit=2");
    expect(linkIds(first.body)).toEqual(["c", "a"]);
    hub.registry.closed(links[1] as PaperLink); // the last one seen
    hub.registry.closed(links[0] as PaperLink);
    const second = await read(`/v1/links?limit=2&cursor=${first.body.next_cursor}`);
    expect(linkIds(second.body)).toEqual(["b", "d"]);
    hub.addLink(new PaperLink("z", { connectedAtMs: 9_000 }));
    const third = await read(`/v1/links?limit=2&cursor=${second.body.next_cursor}`);
    expect(linkIds(third.body)).toEqual(["e", "z"]);
    expect(third.body.next_cursor).toBeNull();
  });

  it.each(["limit=0", "limit=1001", "limit=x", "cursor=!!", "address=nowhere", "nas=x", "limit=1&limit=2"])(
    "422 for %s",
    async (query) => {
      const { status, body } = await read(`/v1/links?${query}`);
      expect(status).toBe(422);
      expect(body.errors[0].field).toBe(query.split("=")[0]);
    },
  );
});

describe("DELETE /v1/links/{linkId}", () => {
  it("closes the link with reason operator, 404 when there is none", async () => {
    const link = hub.addLink(new PaperLink("n1-1"));
    expect((await read("/v1/links/n1-1", "DELETE")).status).toBe(204);
    expect(link.closedWith).toBe("operator");
    const missing = await read("/v1/links/n1-2", "DELETE");
    expect(missing.status).toBe(404);
    expect(missing.body).toMatchObject({ code: "not-found", link_id: "n1-2" });
    expect((await read("/v1/links/n1-2")).status).toBe(404);
  });
});

describe("/v1/bindings", () => {
  it("shows the holder, and whom it refused", async () => {
    const holder = hub.addLink(new PaperLink("n1-1", { name: "edge-1" }));
    learnName(hub.registry, holder, Buffer.from("nas"));
    learnName(hub.registry, hub.addLink(new PaperLink("n1-2", { name: "thief" })), Buffer.from("nas"));
    const { body } = await read("/v1/bindings");
    expect(body).toMatchObject({
      bindings: [
        {
          nas_identifier: "nas",
          peer: "edge-1",
          peer_key: "psk:edge-1",
          client: "routers",
          link_ids: ["n1-1"],
          lapses_at: null,
          refused: [{ peer: "thief" }],
        },
      ],
      next_cursor: null,
    });
    hub.registry.closed(holder);
    const later = await read("/v1/bindings/nas");
    expect(Date.parse(later.body.lapses_at)).toBeGreaterThan(Date.parse(later.body.bound_at));
  });

  it.each([
    { name: "plain", octets: Buffer.from("nas"), shown: "nas" },
    { name: "with a slash, a blank and a percent sign", octets: Buffer.from("a/b c%2F"), shown: "a/b c%2F" },
    { name: "in UTF-8", octets: Buffer.from("münchen"), shown: "münchen" },
    { name: "not in UTF-8", octets: Buffer.from([0xff, 0x2f]), shown: "0xff2f" },
    { name: "that looks like hexadecimal", octets: Buffer.from("0x41"), shown: "0x30783431" },
  ])("DELETE takes a key $name as GET shows it", async ({ octets, shown }) => {
    learnName(hub.registry, hub.addLink(new PaperLink("n1-1")), octets);
    const listed = await read("/v1/bindings");
    expect(listed.body.bindings[0].nas_identifier).toBe(shown);
    const path = `/v1/bindings/${encodeURIComponent(shown)}`;
    expect((await read(path)).body).toMatchObject({ nas_identifier: shown });
    expect((await read(path, "DELETE")).status).toBe(204);
    expect(hub.registry.binding(octets.toString("latin1"))).toBeUndefined();
    expect((await read(path, "DELETE")).status).toBe(404);
  });

  it("pages over all names once", async () => {
    const link = hub.addLink(new PaperLink("n1-1"));
    const names = ["d", "a", "c", "b", "e"];
    for (const name of names) learnName(hub.registry, link, Buffer.from(name));
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await read(`/v1/bindings?limit=2${cursor}`);
      seen.push(...body.bindings.map((each: { nas_identifier: string }) => each.nas_identifier));
      cursor = body.next_cursor === null ? "" : `&cursor=${body.next_cursor}`;
    } while (cursor !== "");
    expect(seen).toEqual(names.toSorted());
  });
});

describe("/live and /ready", () => {
  it("/live is 200, for HEAD too", async () => {
    expect((await read("/live")).body).toEqual({ status: "live" });
    expect(await read("/live", "HEAD")).toMatchObject({ status: 200, text: "" });
  });

  it("/ready is 200, or 503 with the checks that fail", async () => {
    expect((await read("/ready")).body).toMatchObject({ status: "ready", checks: { radsec: { ok: true } } });
    const failing = await startApi(
      {},
      { ready: () => ({ ready: false, checks: { radsec: { ok: false }, pki: { ok: true } } }) },
    );
    const response = await fetch(`${failing.url}/ready`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({
      code: "not-ready",
      detail: "not ready: radsec",
      checks: { radsec: { ok: false }, pki: { ok: true } },
    });
    await failing.stop();
  });
});

describe("/metrics", () => {
  const value = (text: string, series: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.split(" ")[1];

  it("invariant 8: every reason to refuse, to close and to drop is a metric from the start", async () => {
    const { text } = await read("/metrics");
    for (const reason of CLOSE_REASONS)
      expect(value(text, `radsec_hub_links_closed_total{reason="${reason}"}`)).toBe("0");
    for (const reason of DROP_REASONS)
      expect(value(text, `radsec_hub_packets_dropped_total{reason="${reason}"}`)).toBe("0");
    for (const reason of ["ok", ...REFUSAL_REASONS]) {
      expect(value(text, `radsec_hub_handshakes_total{result="${reason}"}`)).toBe("0");
    }
    for (const outcome of ["ack", "nak", "timeout", "no-route", "busy", "closed"]) {
      expect(value(text, `radsec_hub_exchanges_total{request="coa",outcome="${outcome}"}`)).toBe("0");
    }
    expect(value(text, 'radsec_hub_exchange_duration_seconds_count{request="disconnect"}')).toBe("0");
  });

  it("shows each upstream that there is now, and the heartbeat", async () => {
    const upstreams = [
      { name: "home", transport: "udp", state: "suspect", outstanding: 3 },
      { name: "gone", transport: "radsec", state: "dead", outstanding: 0 },
    ] as const;
    let shown: typeof upstreams | readonly [] = upstreams;
    const forwarding = await startApi({}, { upstreams: () => shown, heartbeat: () => false });
    const text = () => fetch(`${forwarding.url}/metrics`).then((answer) => answer.text());
    const first = await text();
    expect(value(first, 'radsec_hub_upstream_up{upstream="home"}')).toBe("1");
    expect(value(first, 'radsec_hub_upstream_up{upstream="gone"}')).toBe("0");
    expect(value(first, 'radsec_hub_upstream_requests_outstanding{upstream="home"}')).toBe("3");
    expect(value(first, "radsec_hub_heartbeat_up")).toBe("0");
    shown = [];
    expect(value(await text(), 'radsec_hub_upstream_up{upstream="home"}')).toBeUndefined();
    await forwarding.stop();
  });

  it("counts what the event feed tells and reads the rest, without any name of a NAS or user", async () => {
    learnName(hub.registry, hub.addLink(new PaperLink("n1-1", { name: "edge-secret" })), Buffer.from("nas-secret"));
    const stamped = { atMs: 0, linkId: "n1-1", listener: "radsec", peer: "edge-secret" };
    hub.events.emit({
      ...stamped,
      type: "link.up",
      client: "routers",
      address: "192.0.2.1",
      port: 1,
      protocol: "TLSv1.3",
    });
    hub.events.emit({
      type: "handshake.refused",
      atMs: 0,
      listener: "radsec",
      address: "",
      port: 1,
      reason: "expired",
      detail: undefined,
    });
    hub.events.emit({ ...stamped, type: "packet.dropped", reason: "late-reply" });
    hub.events.emit({
      type: "exchange.ended",
      atMs: 0,
      exchangeId: "x",
      code: CODE.disconnectRequest,
      trigger: "http",
      requestId: "r",
      outcome: "ack",
      replyCode: CODE.disconnectAck,
      errorCause: undefined,
      linkId: "n1-1",
      nas: "nas-secret",
      attempts: 1,
      durationMs: 20,
    });
    await fetch(`${hub.url}/disconnect?nas_identifier=nas-secret&username=user-secret`, { method: "POST" });
    await fetch(`${hub.url}/v1/links/link-secret`);
    await fetch(`${hub.url}/path-secret`);
    const { text } = await read("/metrics");
    expect(value(text, "radsec_hub_links")).toBe("1");
    expect(value(text, "radsec_hub_bindings")).toBe("1");
    expect(value(text, "radsec_hub_link_requests_queued")).toBe("2");
    expect(value(text, 'radsec_hub_handshakes_total{result="ok"}')).toBe("1");
    expect(value(text, 'radsec_hub_handshakes_total{result="expired"}')).toBe("1");
    expect(value(text, 'radsec_hub_packets_dropped_total{reason="late-reply"}')).toBe("1");
    expect(value(text, 'radsec_hub_exchanges_total{request="disconnect",outcome="ack"}')).toBe("1");
    expect(value(text, 'radsec_hub_exchange_duration_seconds_bucket{le="0.025",request="disconnect"}')).toBe("1");
    expect(value(text, 'radsec_hub_exchange_duration_seconds_bucket{le="0.01",request="disconnect"}')).toBe("0");
    expect(value(text, 'radsec_hub_http_requests_total{route="/disconnect",status="200"}')).toBe("1");
    expect(value(text, 'radsec_hub_http_requests_total{route="/v1/links/:linkId",status="404"}')).toBe("1");
    expect(value(text, 'radsec_hub_http_requests_total{route="none",status="404"}')).toBe("1");
    expect(text).not.toContain("-secret");
  });

  it("shows how long the event loop was held up, anew for each scrape", async () => {
    const delay = async (quantile: string) =>
      Number(value((await read("/metrics")).text, `radsec_hub_event_loop_delay_seconds{quantile="${quantile}"}`));
    // A measurement lies between two ticks of 10 ms, and a scrape begins anew: the loop must turn before and after it is held.
    const turn = async () => {
      const end = performance.now() + 50;
      while (performance.now() < end) await fetch(`${hub.url}/live`);
    };
    let held: number;
    do {
      await turn();
      const end = performance.now() + 150;
      while (performance.now() < end); // nothing else runs meanwhile
      await turn();
      held = await delay("1");
    } while (held < 0.1);
    expect(held).toBeLessThan(60);
    // The 10 ms between two looks are no delay: a loop that has little to do shows next to nothing.
    const usual: number[] = [];
    for (let scrape = 0; scrape < 9; scrape += 1) {
      await turn();
      usual.push(await delay("0.5"));
    }
    expect(usual.toSorted((a, b) => a - b)[4]).toBeLessThan(0.008);
  });
});
