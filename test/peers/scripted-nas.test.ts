import { existsSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { ATTRIBUTE, textAttribute } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import type { RequestHandler } from "../../src/transport/link.ts";
import { findProgram, Program, runToEnd } from "../support/program.ts";
import { RunningHub } from "../support/running-hub.ts";

/** A router written apart from the hub: it verifies what it gets by its own means and sums up at the end. */
const SCRIPT = join(import.meta.dirname, "../../../shared/tools/scripted-nas.cjs");
const curl = findProgram("curl") ?? "curl";

interface Summary {
  readonly connections: number;
  readonly received: number;
  readonly bad: number;
  readonly duplicates: number;
  readonly acked: number;
  readonly closed: number;
  readonly perConnection: readonly number[];
}

interface Answer {
  readonly status: number;
  readonly body: {
    readonly outcome?: string;
    readonly code?: string;
    readonly error_cause?: { readonly number: number; readonly name: string } | null;
    readonly may_have_acted?: boolean;
  };
}

/** The aaa layer that stores accounting is yet to come; this router wants its Accounting-Request acknowledged. */
const acknowledgeAll: RequestHandler = ({ packet }) => ({
  kind: "reply",
  code: packet.code === CODE.accountingRequest ? CODE.accountingResponse : CODE.accessReject,
  attributes: [],
});

async function hubWithNas(nasWords: readonly string[], options: Parameters<typeof RunningHub.start>[0] = {}) {
  const hub = await RunningHub.start(options);
  const issued = await hub.hub.pki?.issueNas("scripted");
  if (issued === undefined) throw new Error("the hub does not use its development PKI");
  const dial = ["--port", String(hub.radsecPort), "--ca", hub.hub.pki?.ca.certificateFile ?? ""];
  const identity = ["--cert", issued.certificateFile, "--key", issued.keyFile, "--servername", "localhost"];
  const nas = Program.start(process.execPath, [SCRIPT, ...dial, ...identity, ...nasWords]);
  await nas.says(/^ready \d+$/m);
  return { hub, nas };
}

/** Ends the router and reads what it has to say of the hub's octets. */
async function summaryOf(nas: Program): Promise<Summary> {
  await nas.stop();
  return JSON.parse(nas.stdout.trim().split("\n").at(-1) ?? "") as Summary;
}

let users = 0;

/** A Disconnect of somebody new, without HTTP. */
function disconnect(hub: RunningHub, timeoutMs = 10_000) {
  users += 1;
  return hub.hub.dynauth.exchange({
    code: CODE.disconnectRequest,
    target: { nasIdentifier: "nas-0" },
    attributes: [textAttribute(ATTRIBUTE.userName, `user-${users}`)],
    timeoutMs,
    trigger: "test",
  });
}

async function post(hub: RunningHub, query: string, path = "/disconnect"): Promise<Answer> {
  const words = ["-sS", "-X", "POST", "-w", "\n%{http_code}", `${hub.api}${path}?${query}`];
  const { stdout } = await runToEnd(curl, words);
  const end = stdout.lastIndexOf("\n");
  return { status: Number(stdout.slice(end + 1)), body: JSON.parse(stdout.slice(0, end)) as Answer["body"] };
}

const ONE = "nas_identifier=nas-0&username=nemo";
const VERIFIED = { bad: 0, duplicates: 0 };

describe("the scripted NAS and curl at a running hub", () => {
  beforeEach((context) => {
    if (!existsSync(SCRIPT)) context.skip("../shared/tools/scripted-nas.cjs is not there");
    if (findProgram("curl") === undefined) context.skip("curl is not installed");
  });

  it.each(["status", "acct", "access"])("RC-03 IDX-07 ack: known by --register %s, curl gets 200", async (register) => {
    const { hub, nas } = await hubWithNas(["--register", register], { handler: acknowledgeAll });
    expect(await post(hub, ONE)).toMatchObject({ status: 200, body: { outcome: "ack" } });
    expect(await post(hub, ONE, "/coa")).toMatchObject({ status: 200, body: { outcome: "ack" } });
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 2, acked: 2 });
  });

  it("RC-08 RC-14 what a Disconnect-Request carries: both authenticators verify, and nobody is named who was not given", async () => {
    const { hub, nas } = await hubWithNas(["--json"]);
    expect((await post(hub, ONE)).status).toBe(200);
    const line = nas.stdout.trim().split("\n")[0] ?? "";
    const request = JSON.parse(line) as {
      code: number;
      authOk: boolean;
      maOk: boolean;
      attributes: [number, string][];
    };
    expect(request).toMatchObject({ code: CODE.disconnectRequest, authOk: true, maOk: true });
    const named = new Map(request.attributes);
    expect([...named.keys()].sort((a, b) => a - b)).toEqual([
      ATTRIBUTE.userName,
      ATTRIBUTE.nasIdentifier,
      ATTRIBUTE.eventTimestamp,
      ATTRIBUTE.messageAuthenticator,
    ]);
    expect([named.get(ATTRIBUTE.userName), named.get(ATTRIBUTE.nasIdentifier)]).toEqual(["nemo", "nas-0"]);
  });

  it("CON-01 octets that come one by one are the same packets", async () => {
    const { hub, nas } = await hubWithNas(["--octets", "1"]);
    for (const user of ["a", "b", "c"]) {
      expect((await post(hub, `nas_identifier=nas-0&username=${user}`)).status).toBe(200);
    }
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 3, acked: 3 });
  });

  it("RC-17 nak: curl gets 409 with Error-Cause 503 and its name", async () => {
    const { hub, nas } = await hubWithNas(["--reply", "nak:503"]);
    expect(await post(hub, ONE)).toMatchObject({
      status: 409,
      body: { code: "nak", outcome: "nak", error_cause: { number: 503, name: "Session-Context-Not-Found" } },
    });
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 1 });
  });

  it("RC-06 CON-07 timeout: curl gets 504, the NAS may have acted and has one copy", async () => {
    const { hub, nas } = await hubWithNas(["--reply", "none"]);
    expect(await post(hub, `${ONE}&timeout=300ms`)).toMatchObject({
      status: 504,
      body: { code: "timeout", outcome: "timeout", may_have_acted: true },
    });
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 1 });
  });

  it("RC-05 late: the answer after the deadline is dropped by name, the link stays and the next request is answered", async () => {
    const { hub, nas } = await hubWithNas(["--reply", "late:600"]);
    expect((await post(hub, `${ONE}&timeout=200ms`)).status).toBe(504);
    expect((await hub.event("packet.dropped")).reason).toBe("late-reply");
    expect((await post(hub, ONE)).status).toBe(200);
    expect(hub.eventsOf("link.down")).toEqual([]);
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 2 });
  });

  it.each([
    { reply: "bad-auth", reason: "reply-bad-authenticator" },
    { reply: "wrong-id", reason: "unexpected-reply" },
  ])("CON-05 $reply: the answer is dropped, curl gets 504 and the link stays", async ({ reply, reason }) => {
    const { hub, nas } = await hubWithNas(["--reply", reply]);
    expect((await post(hub, `${ONE}&timeout=300ms`)).status).toBe(504);
    expect(hub.eventsOf("packet.dropped").map((event) => event.reason)).toEqual([reason]);
    expect(hub.eventsOf("link.down")).toEqual([]);
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 1 });
  });

  it("CON-04 bad-ma: a wrong Message-Authenticator under a right Response Authenticator ends the link, curl gets 502", async () => {
    const { hub, nas } = await hubWithNas(["--reply", "bad-ma"]);
    expect(await post(hub, ONE)).toMatchObject({ status: 502, body: { code: "closed", may_have_acted: true } });
    expect((await hub.event("link.down")).reason).toBe("bad-message-authenticator");
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, closed: 1 });
  });

  it("no-ma: an answer without Message-Authenticator counts, unless the entry of `clients` requires one", async () => {
    const { hub, nas } = await hubWithNas(["--no-ma"]);
    expect((await post(hub, ONE)).status).toBe(200);
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, acked: 1 });
    const strict =
      "clients: [{ name: r, match: { issuer: CN=radsec-hub development CA, admitEvery: true }, requireMessageAuthenticator: true }]";
    const other = await hubWithNas(["--no-ma"], { yaml: strict });
    expect((await post(other.hub, `${ONE}&timeout=300ms`)).status).toBe(504);
    expect((await other.hub.event("packet.dropped")).reason).toBe("reply-no-message-authenticator");
  });

  it("no-route: curl gets 404 for a NAS that is not there and for one that has gone", async () => {
    const { hub, nas } = await hubWithNas([]);
    expect(await post(hub, "nas_identifier=nobody&username=nemo")).toMatchObject({
      status: 404,
      body: { code: "no-route", may_have_acted: false },
    });
    await nas.stop();
    await hub.event("link.down");
    expect(await post(hub, ONE)).toMatchObject({ status: 404, body: { code: "no-route" } });
  });

  it("CON-13 busy: with 255 in flight and the queue full curl gets 503, and none of the requests comes twice", async () => {
    const { hub, nas } = await hubWithNas(["--reply", "none"], { yaml: "dynauth: { queue: 1 }" });
    const sent = Array.from({ length: 255 }, () => disconnect(hub, 3_000));
    const queued = disconnect(hub, 2_000);
    expect(await post(hub, ONE)).toMatchObject({ status: 503, body: { code: "busy", may_have_acted: false } });
    expect((await queued)[0]).toMatchObject({ kind: "busy", why: "deadline" });
    expect(new Set((await Promise.all(sent)).flat().map(({ kind }) => kind))).toEqual(new Set(["timeout"]));
    expect(await summaryOf(nas)).toMatchObject({ ...VERIFIED, received: 255 });
  });

  it("CON-14 RC-07 1,000 Disconnects over four links of one NAS: all verify, none comes twice, every link carries its share", async () => {
    const { hub, nas } = await hubWithNas(["--count", "4", "--nas-id", "nas-0", "--watchdog", "1"]);
    // A link that has been silent since its peer opened another one comes last (IDX-06), so each has to be heard of once more.
    const links = hub.hub.registry.byNasIdentifier("nas-0");
    const newest = Math.max(...links.map(({ openedStep }) => openedStep));
    await vi.waitUntil(() => links.every(({ seenStep }) => seenStep > newest), { timeout: 5_000 });
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, () => disconnect(hub)));
    expect(new Set(outcomes.flat().map(({ kind }) => kind))).toEqual(new Set(["ack"]));
    const summary = await summaryOf(nas);
    expect(summary).toMatchObject({ ...VERIFIED, received: 1_000, acked: 1_000 });
    expect(Math.min(...summary.perConnection)).toBeGreaterThan(100);
  });
});
