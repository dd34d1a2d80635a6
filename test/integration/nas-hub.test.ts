import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, describe, expect, it, vi } from "vitest";
import { makeThrowAwayPki } from "../../pki/throw-away.ts";
import { packageFolder } from "../../src/cli/package-files.ts";
import { run } from "../../src/cli/run.ts";
import { systemClock, systemRandom } from "../../src/clock.ts";
import { loadConfig } from "../../src/config.ts";
import { Hub } from "../../src/hub.ts";
import { Dictionary } from "../../src/radius/dictionary.ts";
import { openLog } from "../../src/log.ts";
import { parseAnswerPlan } from "../../src/nas/answer-plan.ts";
import { NasSimulator, type NasSimulatorOptions } from "../../src/nas/nas-simulator.ts";
import { ATTRIBUTE, firstInteger, firstValue } from "../../src/radius/attribute.ts";
import { CODE } from "../../src/radius/codes.ts";
import { CapturedIo } from "../support/cli-io.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A whole hub with free ports, a router for each name, and a command line that knows where the hub is. */
async function hubWith() {
  const folder = await temporaryFolder();
  const pki = await makeThrowAwayPki();
  mkdirSync(join(folder, "tls"));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, "tls", name), text, { mode: 0o600 });
    return join(folder, "tls", name);
  };
  const text = `
radsec:
  - name: radsec
    address: 127.0.0.1
    port: 0
    tls:
      certificateFile: ${file("hub.pem", pki.hub.certificatePem)}
      keyFile: ${file("hub.key", pki.hub.keyPem)}
      caFiles: [${file("ca.pem", pki.ca.certificatePem)}]
clients:
  - name: routers
    match: { admitEvery: true }
http: { address: 127.0.0.1, port: 0 }
accounting: { enabled: false }
log: { level: silent }
`;
  const readFile = (path: string) => readFileSync(path, "utf8");
  const loaded = loadConfig(text, { file: "hub.yaml", env: {}, readFile });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ message }) => message).join("\n"));
  const dictionary = Dictionary.load(join(packageFolder(), "config/dictionaries"));
  const deps = {
    clock: systemClock,
    random: systemRandom,
    log: openLog(loaded.config.log),
    version: "0",
    dictionary,
  };
  const hub = new Hub(loaded.config, deps);
  const { radsec, http } = await hub.start();
  onTestFinished(() => hub.stop(0));
  const { port } = radsec.get("radsec") as { port: number };
  const router = async (nasIdentifier: string, options: Partial<NasSimulatorOptions> = {}) => {
    const { certificatePem, keyPem } = await pki.nas(nasIdentifier);
    const tls = { ca: pki.ca.certificatePem, certificate: certificatePem, key: keyPem };
    const nas = new NasSimulator(
      { clock: systemClock, random: systemRandom },
      { host: "127.0.0.1", port, tls, nasIdentifier, ...options },
    );
    onTestFinished(() => nas.stop());
    await nas.start();
    return nas;
  };
  const io = new CapturedIo(folder);
  const hubCommand = (...argv: string[]) => {
    io.out = "";
    return run([...argv, "--url", `http://127.0.0.1:${http?.port}`], io);
  };
  return { hub, router, io, hubCommand };
}

const ALICE = { username: "alice", acctSessionId: "a1", framedIp: "10.0.0.7" };
const ALICE_AT_SHOP_7 = ["--nas", "shop-7", "--user", "alice", "--session", "a1"];

describe("a simulated router at a real hub", () => {
  it("RC-01 RC-03 a Disconnect ends the acct session, and the next one learns that it is gone", async () => {
    const { router, hubCommand, io } = await hubWith();
    const [shop7, shop8] = [await router("shop-7"), await router("shop-8")];
    for (const nas of [shop7, shop8]) nas.addAcctSession(ALICE);
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7)).toBe(0);
    expect([shop7.acctSessions.size, shop8.acctSessions.size]).toEqual([0, 1]);
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7)).toBe(3);
    expect(io.out).toContain("Session-Context-Not-Found (503)");
  });

  it("a CoA changes the acct session", async () => {
    const { router, hubCommand } = await hubWith();
    const nas = await router("shop-7");
    nas.addAcctSession(ALICE);
    const changes = ["--attribute", "Session-Timeout=600", "--attribute", "Mikrotik-Rate-Limit=2M/1M"];
    expect(await hubCommand("coa", ...ALICE_AT_SHOP_7, ...changes)).toBe(0);
    const attributes = nas.acctSessions.byAcctSessionId("a1")?.attributes ?? [];
    expect(firstInteger(attributes, 27)).toBe(600);
    expect(firstValue(attributes, ATTRIBUTE.vendorSpecific)?.toString("latin1", 6)).toBe("2M/1M");
  });

  it.each([
    ["ack", 0],
    ["nak", 3],
    ["nak:501", 3],
    ["protocol-error:406", 3],
    ["ack,delay:50", 0],
    ["no-ma", 0],
    ["none", 4],
    ["bad-auth", 4],
  ])("CON-05 RC-18 --answer %s is exit code %d, and the link stays", async (text, exitCode) => {
    const { hub, router, hubCommand } = await hubWith();
    const nas = await router("shop-7", { answer: parseAnswerPlan(text) });
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7, "--wait", "500ms")).toBe(exitCode);
    expect([nas.openLinks, hub.registry.size]).toEqual([1, 1]);
  });

  it("CON-04 a wrong Message-Authenticator under a right Response Authenticator ends the link: closed, exit code 6", async () => {
    const { router, hubCommand, io } = await hubWith();
    await router("shop-7", { answer: parseAnswerPlan("bad-ma") });
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7)).toBe(6);
    expect(io.out).toMatch(/^closed: .*may have acted/);
  });

  it("DP-12 a router that has left is no-route, exit code 5, until it is back", async () => {
    const { hub, router, hubCommand } = await hubWith();
    const nas = await router("shop-7", { answer: { verdict: "ack" } });
    nas.interrupt();
    await vi.waitFor(() => expect(hub.registry.size).toBe(0), { timeout: 5_000, interval: 2 });
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7)).toBe(5);
    await vi.waitFor(() => expect(hub.registry.byNasIdentifier("shop-7")).toHaveLength(1), { timeout: 5_000 });
    expect(await hubCommand("disconnect", ...ALICE_AT_SHOP_7)).toBe(0);
  });

  it("links lists what is connected", async () => {
    const { router, hubCommand, io } = await hubWith();
    await router("shop-7", { links: 2, nasIpAddress: "10.9.0.1" });
    expect(await hubCommand("links")).toBe(0);
    expect(io.lines.slice(1).map((line) => line.split(/ {2,}/)[0])).toEqual(["shop-7 10.9.0.1", "shop-7 10.9.0.1"]);
  });

  it("C13 PE-01 an Accounting-Request is refused by Protocol-Error 406 as long as nothing stores it", async () => {
    const { router } = await hubWith();
    const nas = await router("shop-7");
    const outcome = await nas.sendAccounting("start", nas.addAcctSession(ALICE));
    expect(outcome).toMatchObject({ kind: "reply", code: CODE.protocolError });
    expect(outcome.kind === "reply" && firstInteger(outcome.attributes, ATTRIBUTE.errorCause)).toBe(406);
  });
});
