import { describe, expect, it } from "vitest";
import { Pool } from "../../../../src/aaa/upstream/pool.ts";
import type { UpstreamServer, UpstreamState } from "../../../../src/aaa/upstream/upstream-server.ts";

interface PaperServer extends UpstreamServer {
  state: UpstreamState;
  outstanding: number;
}

function server(name: string, state: UpstreamState = "alive", outstanding = 0): PaperServer {
  const ask = () => Promise.resolve({ kind: "unsent" } as const);
  const stop = () => Promise.resolve();
  return { name, transport: "udp", state, outstanding, ask, stop, start: () => undefined, probe: () => undefined };
}

function pool(mode: "fail-over" | "balance", ...servers: readonly UpstreamServer[]): Pool {
  return new Pool({ name: "p", mode, timeoutMs: 1_000 }, servers);
}

describe("Pool", () => {
  it("fail-over takes the first that is alive, a suspect only when nobody is, a dead one never", () => {
    const servers = [server("a", "dead"), server("b", "suspect"), server("c"), server("d")] as const;
    const tried = new Set<UpstreamServer>();
    const order: (string | undefined)[] = [];
    for (let each = 0; each < 4; each += 1) {
      const picked = pool("fail-over", ...servers).pick(tried);
      order.push(picked?.name);
      if (picked !== undefined) tried.add(picked);
    }
    expect(order).toEqual(["c", "d", "b", undefined]);
  });

  it("balance takes the one with the fewest questions outstanding; equals take turns", () => {
    const busy = server("busy", "alive", 3);
    const idle = [server("x", "alive", 1), server("y", "alive", 1)] as const;
    const balanced = pool("balance", busy, ...idle);
    const names = Array.from({ length: 4 }, () => balanced.pick(new Set())?.name);
    expect(names.toSorted((a, b) => (a ?? "").localeCompare(b ?? ""))).toEqual(["x", "x", "y", "y"]);
    busy.outstanding = 0;
    expect(balanced.pick(new Set())?.name).toBe("busy");
  });

  it("CON-25 goes on with the server that knows the conversation, unless that is dead or was tried", () => {
    const knows = server("b");
    const both = pool("fail-over", server("a"), knows);
    expect(both.pick(new Set(), "b")?.name).toBe("b");
    expect(both.pick(new Set([knows]), "b")?.name).toBe("a");
    knows.state = "dead";
    expect(both.pick(new Set(), "b")?.name).toBe("a");
  });
});
