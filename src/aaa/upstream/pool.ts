import type { PoolOptions } from "./options.ts";
import type { UpstreamServer } from "./upstream-server.ts";

/** Servers that can stand in for each other. */
export class Pool {
  readonly name: string;
  readonly timeoutMs: number;
  readonly servers: readonly UpstreamServer[];
  readonly #mode: PoolOptions["mode"];
  #turn = 0;

  constructor({ name, timeoutMs, mode }: Omit<PoolOptions, "servers">, servers: readonly UpstreamServer[]) {
    this.name = name;
    this.timeoutMs = timeoutMs;
    this.servers = servers;
    this.#mode = mode;
  }

  /** The server to ask next: the preferred one if it is not dead, else one that is alive, else a suspect. Undefined when all
   *  that are left are dead.
   *  @param preferred knows the conversation that the request belongs to */
  pick(tried: ReadonlySet<UpstreamServer>, preferred?: string): UpstreamServer | undefined {
    const left = this.servers.filter((server) => server.state !== "dead" && !tried.has(server));
    const knowing = preferred === undefined ? undefined : left.find(({ name }) => name === preferred);
    if (knowing !== undefined) return knowing;
    const alive = left.filter(({ state }) => state === "alive");
    return this.#best(alive.length > 0 ? alive : left);
  }

  /** "fail-over": the first in the order of the configuration. "balance": the one with the fewest questions outstanding;
   *  of several such they take turns. */
  #best(servers: readonly UpstreamServer[]): UpstreamServer | undefined {
    if (this.#mode === "fail-over") return servers[0];
    const fewest = Math.min(...servers.map(({ outstanding }) => outstanding));
    const idlest = servers.filter(({ outstanding }) => outstanding === fewest);
    this.#turn += 1;
    return idlest[this.#turn % idlest.length];
  }
}
