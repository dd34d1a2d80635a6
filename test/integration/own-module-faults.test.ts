import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { CODE } from "../../src/radius/codes.ts";
import { ask, greeting, prepare, RELOADED, serve } from "../support/own-modules.ts";

const SECTIONS = "  sections: { authorize: [greeting], postauth: [] }";

/** The module of greeting() whose authorize does something first. */
function greetingAfter(text: string, ...lines: readonly string[]): string {
  return greeting(text).replace("authorize(request) {", `async authorize(request) {\n${lines.join("\n")}`);
}

/** An HTTP back end that answers when it is told to. */
async function holdingBackEnd() {
  const asked = Promise.withResolvers<ServerResponse>();
  const backEnd = createServer((_, response) => asked.resolve(response)).listen(0, "127.0.0.1");
  await once(backEnd, "listening");
  onTestFinished(() => void backEnd.close());
  return { url: `http://127.0.0.1:${(backEnd.address() as AddressInfo).port}/`, asked: asked.promise };
}

describe("a reload of a running hub", () => {
  it("lets a packet in flight finish on the old modules, while the next takes the new ones", async () => {
    const { folder, file, own } = await prepare(SECTIONS);
    const { url, asked } = await holdingBackEnd();
    await writeFile(join(own, "greeting.ts"), greetingAfter("one", `await fetch(${JSON.stringify(url)});`));
    const { hub, port } = await serve(folder, file);
    const first = ask(port);
    const held = await asked;
    await writeFile(join(own, "greeting.ts"), greeting("two"));
    hub.signal("SIGHUP");
    await hub.says(RELOADED);
    expect(await ask(port)).toEqual({ code: CODE.accessAccept, message: "two" });
    held.end();
    expect(await first).toEqual({ code: CODE.accessAccept, message: "one" });
  }, 90_000);
});

describe("an operator's own module that does not catch its errors", () => {
  it("is named, packet by packet, and the hub goes on", async () => {
    const { folder, file, own } = await prepare(SECTIONS);
    const stray = [
      'void Promise.reject(new Error("a promise of mine"));',
      'setTimeout(() => { throw new Error("a timer of mine"); }, 1);',
      'request.afterReply(() => { throw new Error("an afterthought of mine"); });',
    ];
    await writeFile(join(own, "greeting.ts"), greetingAfter("still here", ...stray));
    const { hub, port } = await serve(folder, file);
    expect(await ask(port)).toEqual({ code: CODE.accessAccept, message: "still here" });
    await hub.says(/module greeting\.authorize threw: Error: an? \w+ of mine at .*own\/greeting\.ts/);
    const [, api] = /HTTP API on (http:[^"\s]+)/.exec(hub.output) ?? [];
    const metrics = async () => (await fetch(`${api}/metrics`)).text();
    await expect.poll(metrics, { timeout: 10_000 }).toMatch(/^radsec_hub_module_faults_total\{.*fault="threw".*\} 3$/m);
    expect(await ask(port)).toEqual({ code: CODE.accessAccept, message: "still here" });
    expect(hub.running).toBe(true);
  }, 90_000);

  it("is named, with file and line, while it holds the hub, which goes on afterwards", async () => {
    const { folder, file, own } = await prepare(SECTIONS);
    const end = join(folder, "end");
    const lines = ["await Promise.resolve();", `while (!existsSync(${JSON.stringify(end)})) Math.sqrt(2);`];
    const text = `import { existsSync } from "node:fs";\n${greetingAfter("late", ...lines)}`;
    await writeFile(join(own, "greeting.ts"), text);
    const line = text.split("\n").findIndex((each) => each.includes("while (")) + 1;
    const { hub, port } = await serve(folder, file);
    const answer = ask(port).catch(() => undefined); // it may come too late for the router
    const said = await hub.says(/the hub stands still for 5 s in a module of yours: (authorize .*)/, 30_000);
    expect(said[1]).toMatch(new RegExp(`^authorize \\(file:.*/own/greeting\\.ts:${line}\\)$`));
    await writeFile(end, "");
    await answer;
    expect(await ask(port)).toEqual({ code: CODE.accessAccept, message: "late" });
    hub.signal("SIGTERM");
    expect(await hub.ended).toMatchObject({ code: 0 });
  }, 90_000);

  it("does not make the hub survive a fault of its own", async () => {
    const { folder, file, own } = await prepare(SECTIONS);
    await writeFile(join(own, "greeting.ts"), greeting("one"));
    const fault = join(folder, "fault.mjs");
    const body = 'process.on("SIGUSR2", () => { throw new Error("a fault of the hub"); });';
    await writeFile(fault, body);
    const { hub } = await serve(folder, file, { NODE_OPTIONS: `--import=${fault}` });
    hub.signal("SIGUSR2");
    expect(await hub.ended).toMatchObject({ code: 1 });
    expect(hub.output).toContain("Error: a fault of the hub\n    at");
  }, 90_000);
});
