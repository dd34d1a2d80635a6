import type { AaaLoadCommands } from "./aaa-load-process.ts";
import { type AaaHub, AaaStage, type Independent, type Transport } from "./aaa-stage.ts";
import type { BenchProcess } from "./bench-process.ts";
import { type Measured, median, middle } from "./gauge.ts";
import { type Part, turn } from "./aaa-turn.ts";
import type { Plan } from "./plan.ts";
import type { Stage } from "./stage.ts";
import { CODE } from "../../src/radius/codes.ts";

/** Logins over one transport, and Status-Servers that took turns with them on the same link; medians over the rounds. */
export interface LoginRow {
  readonly transport: Transport;
  readonly inFlight: number;
  readonly login: Measured;
  readonly status: Measured;
  /** Never answered, or otherwise than with Access-Accept, of all rounds. */
  readonly failed: number;
  /** Logins a second against Status-Servers in the same round; the median. */
  readonly ratio: number;
}

export interface AaaRows {
  readonly rows: readonly LoginRow[];
  /** By another loader; "not measured" says why it is not here. */
  readonly independent: readonly Independent[] | { readonly notMeasured: string };
}

/** What radload.c sends. */
const RADLOAD_USER = { username: "user@example.org", password: "password" };
const PASSWORD = RADLOAD_USER.password;
const TRANSPORTS: readonly Transport[] = ["tls", "udp"];

/** Access-Request PAP from the store, beside Status-Server. */
export async function measureAaa({ profileFolder }: Stage, plan: Plan): Promise<AaaRows> {
  using stage = await AaaStage.make(profileFolder);
  return await measureLogins(stage, plan);
}

async function measureLogins(stage: AaaStage, plan: Plan): Promise<AaaRows> {
  await using hub = await stage.hub();
  const usernames = Array.from({ length: plan.aaaUsers }, (_, index) => `user-${index}@example.org`);
  await makeUsers(hub, usernames);
  const rows: LoginRow[] = [];
  for (const transport of TRANSPORTS) {
    await using router = await stage.router(hub, transport);
    for (const what of ["login", "status"] as const) {
      const load = { what, usernames, password: PASSWORD };
      await router.call("drive", { ...load, count: plan.aaaHeat, rhythm: { inFlight: 128 } });
    }
    for (const [inFlight, count] of plan.aaa) {
      rows.push(await measureRow(hub, router, { transport, inFlight, count, usernames }, plan.rounds));
    }
  }
  const independent = await byAnother(stage, hub, plan);
  await verifyForgets(stage, hub, usernames[0] ?? "");
  return { rows, independent };
}

async function measureRow(
  { node }: AaaHub,
  router: BenchProcess<AaaLoadCommands>,
  row: { transport: Transport; inFlight: number; count: number; usernames: readonly string[] },
  rounds: number,
): Promise<LoginRow> {
  const { transport, inFlight, count, usernames } = row;
  const turns: Record<"login" | "status", Part[]> = { login: [], status: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const what of ["status", "login"] as const) {
      const load = { what, usernames, password: PASSWORD, count, rhythm: { inFlight } };
      turns[what].push(await turn(node, () => router.call("drive", load)));
    }
  }
  const ratios = turns.login.map(({ perSecond }, round) => perSecond / (turns.status[round]?.perSecond ?? NaN));
  return {
    transport,
    inFlight,
    login: middle(turns.login),
    status: middle(turns.status),
    failed: turns.login.reduce((sum, { failed }) => sum + failed, 0),
    ratio: median(ratios),
  };
}

async function byAnother(stage: AaaStage, hub: AaaHub, plan: Plan): Promise<AaaRows["independent"]> {
  try {
    const rows: Independent[] = [];
    for (const [inFlight, count] of plan.aaa) rows.push(await stage.radload(hub, count, inFlight));
    return rows;
  } catch (error) {
    return { notMeasured: String(error).split("\n")[0] ?? "" };
  }
}

/** As an operator makes them: with a plan, and passwords that are hashed. */
async function makeUsers(hub: AaaHub, usernames: readonly string[]): Promise<void> {
  await put(hub, "plans/guest", { rate_down: "10M", rate_up: "2M", session_timeout: 3_600 });
  for (const username of [...usernames, RADLOAD_USER.username]) {
    await put(hub, `users/${encodeURIComponent(username)}`, { password: PASSWORD, plan: "guest" });
  }
}

/** Figures of a memory that does not notice a change would be worth nothing. */
async function verifyForgets(stage: AaaStage, hub: AaaHub, username: string): Promise<void> {
  await put(
    hub,
    `users/${encodeURIComponent(username)}`,
    { password: "another one", plan: "guest" },
    { "if-match": "*" },
  );
  await using router = await stage.router(hub, "tls");
  const load = { what: "login", usernames: [username], count: 1, rhythm: { inFlight: 1 } } as const;
  const old = await router.call("drive", { ...load, password: PASSWORD, expected: CODE.accessReject });
  const now = await router.call("drive", { ...load, password: "another one" });
  if (old.others + old.lost + now.others + now.lost > 0) throw new Error("a changed password is not noticed");
}

async function put(
  { ports }: AaaHub,
  path: string,
  body: unknown,
  precondition: Record<string, string> = {},
): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${ports.httpPort}/v1/${path}`, {
    method: "PUT",
    headers: { "content-type": "application/json", ...precondition },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`PUT ${path}: ${response.status} ${await response.text()}`);
}
