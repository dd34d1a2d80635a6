import { join } from "node:path";
import { systemClock, systemRandom } from "../clock.ts";
import { HubError } from "../errors.ts";
import type { AcctSession } from "../nas/acct-sessions.ts";
import { type AnswerPlan, parseAnswerPlan } from "../nas/answer-plan.ts";
import type { NasEvent } from "../nas/nas-events.ts";
import { NasSimulator } from "../nas/nas-simulator.ts";
import { Dictionary } from "../radius/dictionary.ts";
import { parseAcctSession } from "./acct-session-option.ts";
import { type CommandContext, EXIT } from "./command.ts";
import { credentialSource } from "./nas-credentials.ts";
import { accountingText, eventJson, eventText } from "./nas-events-text.ts";
import { packageFolder } from "./package-files.ts";

const COUNT_MAX = 10_000;
const LINKS_MAX = 100;
/** The longest delay that setInterval takes. */
const FOR_EVER_MS = 0x7fff_ffff;

/** Runs the routers of `nas-sim` until the user interrupts. @throws {HubError} ERR_INPUT, ERR_PKI */
export async function simulate(context: CommandContext): Promise<number> {
  const { io } = context;
  const interrupted = Promise.withResolvers<void>();
  const takeBack = io.onInterrupt(interrupted.resolve);
  // Between two attempts to connect there is no socket, and the clock's timers keep no process alive.
  const alive = setInterval(() => {}, FOR_EVER_MS);
  try {
    const nases = await routers(context);
    const started = nases.map((nas) => startOne(nas, context));
    await interrupted.promise;
    await Promise.all(nases.map((nas) => nas.stop()));
    await Promise.all(started);
  } finally {
    clearInterval(alive);
    takeBack();
  }
  return EXIT.ok;
}

async function startOne(nas: NasSimulator, context: CommandContext): Promise<void> {
  await nas.start();
  if (!context.options.flag("accounting")) return;
  for (const acctSession of nas.acctSessions) await account(nas, "start", acctSession, context);
}

async function account(
  nas: NasSimulator,
  status: "start" | "stop",
  acctSession: AcctSession,
  { json, print }: CommandContext,
): Promise<void> {
  const { nasIdentifier } = nas;
  const { acctSessionId } = acctSession;
  const outcome = await nas.sendAccounting(status, acctSession);
  if (json) {
    const code = outcome.kind === "reply" ? outcome.code : undefined;
    print(JSON.stringify({ type: "accounting", nasIdentifier, acctSessionId, status, outcome: outcome.kind, code }));
  } else {
    print(`${nasIdentifier}: ${accountingText(status, acctSessionId, outcome)}`);
  }
}

async function routers(context: CommandContext): Promise<NasSimulator[]> {
  const { io, options } = context;
  const { host, port } = parseHub(options.text("hub") ?? "127.0.0.1:2083");
  const count = options.whole("count", 1, 1, COUNT_MAX);
  const pattern = options.text("nas-id") ?? "nas-%d";
  if (count > 1 && !pattern.includes("%d")) {
    throw new HubError("ERR_INPUT", "--nas-id needs a %d when --count is more than 1");
  }
  const acctSessions = options.list("acct-session").map(parseAcctSession);
  const credentials = await credentialSource(context);
  const tell = teller(context);
  const made: NasSimulator[] = [];
  for (let number = 1; number <= count; number += 1) {
    const nasIdentifier = pattern.replaceAll("%d", String(number));
    const nasIpAddress = options.text("nas-ip");
    const onEvent = (event: NasEvent): void => {
      tell(event);
      const stops = event.type === "acct-ended" && options.flag("accounting");
      if (stops) void account(nas, "stop", event.acctSession, context);
    };
    const nas = new NasSimulator(
      { clock: io.clock ?? systemClock, random: io.random ?? systemRandom, onEvent },
      {
        host,
        port,
        nasIdentifier,
        tls: await credentials(nasIdentifier),
        links: options.whole("links", 1, 1, LINKS_MAX),
        answer: answerPlan(options.text("answer"), acctSessions.length > 0),
        ...(nasIpAddress === undefined ? {} : { nasIpAddress }),
      },
    );
    for (const facts of acctSessions) nas.addAcctSession(facts);
    made.push(nas);
  }
  return made;
}

/** A router without acct sessions would refuse everything; one that is only to be reached says yes. */
function answerPlan(text: string | undefined, hasAcctSessions: boolean): AnswerPlan {
  if (text !== undefined) return parseAnswerPlan(text);
  return { verdict: hasAcctSessions ? "acct-sessions" : "ack" };
}

function teller({ json, print }: CommandContext): (event: NasEvent) => void {
  const dictionary = Dictionary.load(join(packageFolder(), "config/dictionaries"));
  return json
    ? (event) => print(JSON.stringify(eventJson(event, dictionary)))
    : (event) => print(eventText(event, dictionary));
}

/** "hub.example.net:2083" or "[::1]:2083". @throws {HubError} ERR_INPUT */
function parseHub(text: string): { host: string; port: number } {
  const parts = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port < 1 || port > 65_535) {
    throw new HubError("ERR_INPUT", `--hub must be written HOST:PORT, not "${text}"`);
  }
  return { host: (parts[1] ?? parts[2]) as string, port };
}
