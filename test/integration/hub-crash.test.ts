import { createSocket } from "node:dgram";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { packageFolder } from "../../src/cli/package-files.ts";
import { systemRandom } from "../../src/clock.ts";
import { integerAttribute, textAttribute, ATTRIBUTE } from "../../src/radius/attribute.ts";
import { encodeRequest, SharedSecret, verifyResponse } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { decodeDatagram } from "../../src/radius/packet.ts";
import { freeUdpPort } from "../support/free-port.ts";
import { MongoServer, NO_MONGO_SERVER } from "../support/mongo-server.ts";
import { Program } from "../support/program.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const RADSEC_HUB = join(packageFolder(), "bin/radsec-hub.cjs");
const SECRET = new SharedSecret("between-router-and-hub-0001");
const ACCT_SESSIONS = 60;
const USERNAMES = ["alice", "bob", "carol"];
const INTERIM_UPDATE = 3;
const ACCT_INPUT_OCTETS = 42;
const ACCT_SESSION_TIME = 46;

/** One acct session as its router knows it. Its number is its Identifier. */
interface Metered {
  readonly number: number;
  readonly username: string;
  seconds: number;
  /** Octets of the latest record, and of the latest that was acknowledged. */
  sent: number;
  acknowledged: number;
  authenticator: Buffer;
}

/** A router that counts, sends, and remembers what the hub has acknowledged. */
class Router {
  readonly acctSessions: readonly Metered[] = Array.from({ length: ACCT_SESSIONS }, (_, number) => ({
    number,
    username: USERNAMES[number % USERNAMES.length] as string,
    seconds: 0,
    sent: 0,
    acknowledged: 0,
    authenticator: Buffer.alloc(16),
  }));
  readonly #socket = createSocket("udp4");
  readonly #port: number;
  #acks = 0;
  #enough: { readonly acks: number; readonly done: () => void } | undefined;

  constructor(port: number) {
    this.#port = port;
    this.#socket.on("message", (octets) => this.#hear(octets));
    onTestFinished(() => void this.#socket.close());
  }

  /** Every acct session sends, first what had no answer before the crash, until so many records are acknowledged. */
  async load(acks: number): Promise<void> {
    this.#acks = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#enough = { acks, done: resolve };
    for (const each of this.acctSessions) this.#send(each);
    await promise;
    this.#enough = undefined;
  }

  #hear(octets: Buffer): void {
    const reply = decodeDatagram(Buffer.from(octets));
    const acctSession = this.acctSessions[reply.identifier];
    if (acctSession === undefined || verifyResponse(reply, acctSession.authenticator, SECRET) !== "ok") return;
    acctSession.acknowledged = acctSession.sent;
    this.#acks += 1;
    if (this.#enough === undefined) return;
    if (this.#acks >= this.#enough.acks) return this.#enough.done();
    this.#send(acctSession);
  }

  #send(acctSession: Metered): void {
    if (acctSession.sent === acctSession.acknowledged) {
      acctSession.seconds += 30;
      acctSession.sent += 1 + Math.floor(Math.random() * 1_000_000);
    }
    const attributes = [
      integerAttribute(ATTRIBUTE.acctStatusType, INTERIM_UPDATE),
      textAttribute(ATTRIBUTE.nasIdentifier, "nas-07"),
      textAttribute(ATTRIBUTE.acctSessionId, `s${acctSession.number}`),
      textAttribute(ATTRIBUTE.userName, acctSession.username),
      integerAttribute(ACCT_SESSION_TIME, acctSession.seconds),
      integerAttribute(ACCT_INPUT_OCTETS, acctSession.sent),
    ];
    const octets = encodeRequest(
      CODE.accountingRequest,
      acctSession.number,
      attributes,
      systemRandom.bytes(16),
      SECRET,
    );
    acctSession.authenticator = Buffer.from(octets.subarray(4, 20));
    this.#socket.send(octets, this.#port, "127.0.0.1");
  }
}

interface Shown {
  readonly session_id: string;
  readonly upload_octets: number;
}

interface Period {
  readonly period: string;
  readonly upload_octets: number;
}

/** What the API says: octets by Acct-Session-Id, and in all by user. */
async function told(api: string) {
  const get = async (path: string) => (await (await fetch(api + path)).json()) as Record<string, unknown>;
  const { sessions } = (await get("/v1/sessions?limit=1000")) as { sessions: readonly Shown[] };
  const totals = USERNAMES.map(async (username) => {
    const { periods } = (await get(`/v1/users/${username}/usage`)) as { periods: readonly Period[] };
    return periods.find(({ period }) => period === "total")?.upload_octets ?? 0;
  });
  return {
    uploads: new Map(sessions.map((each) => [each.session_id, each.upload_octets])),
    totals: await Promise.all(totals),
  };
}

async function expectNothingLost(api: string, { acctSessions }: Router): Promise<void> {
  const { uploads, totals } = await told(api);
  for (const { number, sent, acknowledged } of acctSessions) {
    const stored = uploads.get(`s${number}`) ?? 0;
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    expect(stored).toBeLessThanOrEqual(sent);
  }
  const byUser = USERNAMES.map((username) =>
    acctSessions
      .filter((each) => each.username === username)
      .reduce((sum, { number }) => sum + (uploads.get(`s${number}`) ?? 0), 0),
  );
  expect(totals).toEqual(byUser);
}

/** kill -9 of a whole hub, with packets on the wire. store-crash.test.ts kills the store alone, thirty times.
 *  @param acks records that are acknowledged in a round, about */
async function killHub(
  store: string,
  { rounds, acks }: { readonly rounds: number; readonly acks: number },
): Promise<void> {
  const folder = await temporaryFolder();
  const port = await freeUdpPort();
  const file = join(folder, "hub.yaml");
  await writeFile(
    file,
    `
udp: [{ name: old, addresses: [127.0.0.1], acctPort: ${port} }]
radsec: [{ address: 127.0.0.1, port: 0 }]
http: { address: 127.0.0.1, port: 0 }
store: ${JSON.stringify(store)}
pki: { folder: ${JSON.stringify(join(folder, "pki"))} }
clients: [{ name: legacy, transport: udp, match: { network: 127.0.0.1/32 }, secret: between-router-and-hub-0001 }]
`,
  );
  const router = new Router(port);
  for (let round = 0; round <= rounds; round += 1) {
    const hub = Program.start(process.execPath, [RADSEC_HUB, "serve", "--config", file], { cwd: folder });
    await hub.says(/radsec-hub \S+ is ready/, 30_000);
    const [, api = ""] = await hub.says(/HTTP API on (http:[\w./:]+)/);
    await vi.waitFor(async () => expect((await fetch(`${api}/ready`)).status).toBe(200), { timeout: 20_000 });
    await expectNothingLost(api, router);
    if (round === rounds) break;
    await router.load(acks / 2 + Math.floor(Math.random() * acks));
    hub.signal("SIGKILL");
    expect((await hub.ended).signal).toBe("SIGKILL");
  }
}

describe("a hub that is killed under accounting load", () => {
  it("invariant 6, UL-10 sqlite: what was acknowledged on the wire is there when it is back, and counted once", async () => {
    await killHub(join(await temporaryFolder(), "hub.db"), { rounds: 5, acks: 200 });
  }, 120_000);

  it("invariant 6, UL-10 mongodb: the same", async (context) => {
    if (!MongoServer.available) return context.skip(NO_MONGO_SERVER);
    const server = await MongoServer.start();
    onTestFinished(() => server.stop());
    await killHub(server.freshUri(), { rounds: 3, acks: 60 });
  }, 180_000);
});
