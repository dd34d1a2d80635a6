import { access, readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { HUB_ERROR_CODES } from "../src/errors.ts";
import type { Routes } from "../src/http/api-context.ts";
import { compatRoutes } from "../src/http/compat/compat-routes.ts";
import { PROBLEMS } from "../src/http/problem.ts";
import { planRoutes, userRoutes } from "../src/http/routes-accounts.ts";
import { backupRoutes } from "../src/http/routes-backup.ts";
import { bindingRoutes } from "../src/http/routes-bindings.ts";
import { exchangeRoutes } from "../src/http/routes-exchange.ts";
import { healthRoutes } from "../src/http/routes-health.ts";
import { linkRoutes } from "../src/http/routes-links.ts";
import { sessionRoutes } from "../src/http/routes-sessions.ts";
import { quotaRoutes, usageRoutes } from "../src/http/routes-users.ts";
import { webhookRoutes } from "../src/http/routes-webhooks.ts";
import { ManualClock } from "./support/manual-clock.ts";

const readme = await readFile("README.md", "utf8");
/** The cells of every row of README's tables, in order. */
const rows = readme
  .split("\n")
  .filter((line) => line.startsWith("| "))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

function quoted(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, word]) => word as string);
}

/** Nothing is called: the routes are only listed. */
function routes(): Routes {
  const nothing = {} as never;
  return {
    ...exchangeRoutes({ clock: new ManualClock(), dynauth: nothing, dictionary: nothing, audit: nothing }, nothing),
    ...linkRoutes({ registry: nothing, dictionary: nothing, closeLink: nothing }),
    ...bindingRoutes({ registry: nothing }),
    ...sessionRoutes(nothing),
    ...userRoutes(nothing, nothing),
    ...planRoutes(nothing, nothing),
    ...usageRoutes({ usage: nothing }),
    ...quotaRoutes({ clock: new ManualClock(), quotaStore: nothing, quota: nothing }, nothing),
    ...webhookRoutes({ clock: new ManualClock(), outbox: nothing, books: nothing }),
    ...backupRoutes({ clock: new ManualClock(), log: nothing, backup: nothing }, nothing),
    ...compatRoutes(nothing, nothing),
    ...healthRoutes({ ready: nothing }, nothing),
  };
}

describe("README.md", () => {
  it("lists exactly the calls of the HTTP API", () => {
    const calls = Object.entries(routes()).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path.replaceAll(/:(\w+)/g, "{$1}")}`),
    );
    const listed = rows.flatMap(([call = ""]) => quoted(call)).filter((word) => /^[A-Z]+ \//.test(word));
    expect(listed.toSorted()).toEqual(calls.toSorted());
  });

  it("lists exactly the problem codes, each beside its status (RFC 9457)", () => {
    const listed = rows.flatMap(([status = "", codes = ""]) =>
      /^\d{3}$/.test(status) ? quoted(codes).map((code) => [code, Number(status)]) : [],
    );
    expect(Object.fromEntries(listed)).toEqual(
      Object.fromEntries(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status])),
    );
  });

  it("lists exactly the codes of HubError", () => {
    const listed = rows.flatMap(([code = ""]) => quoted(code)).filter((word) => word.startsWith("ERR_"));
    expect(listed.toSorted()).toEqual(HUB_ERROR_CODES.toSorted());
  });

  it("names no npm script and links to no file that is not there", async () => {
    const { scripts } = JSON.parse(await readFile("package.json", "utf8")) as { scripts: Record<string, string> };
    for (const [, script] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([script as string]);
    for (const [, path] of readme.matchAll(/\]\(([^)#:]+)\)/g)) await access(path as string);
  });
});
