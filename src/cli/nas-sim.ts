import { ANSWER_PLAN_SYNTAX } from "../nas/answer-plan.ts";
import { ACCT_SESSION_SYNTAX } from "./acct-session-option.ts";
import type { Command } from "./command.ts";

export const NAS_SIM: Command = {
  name: "nas-sim",
  summary: "Runs simulated routers that dial out to a hub, until Ctrl-C.",
  positionals: [],
  options: {
    hub: { type: "string", placeholder: "HOST:PORT", description: "RadSec listener (default 127.0.0.1:2083)" },
    "nas-id": {
      type: "string",
      placeholder: "NAME",
      description: "NAS-Identifier; %d becomes the number of the router (default nas-%d)",
    },
    "nas-ip": { type: "string", placeholder: "IP", description: "NAS-IP-Address" },
    count: { type: "string", placeholder: "N", description: "routers (default 1)" },
    links: { type: "string", placeholder: "N", description: "links of each router (default 1)" },
    answer: { type: "string", placeholder: "PLAN", description: `how to answer: ${ANSWER_PLAN_SYNTAX}` },
    "acct-session": { type: "string", multiple: true, placeholder: "FACTS", description: ACCT_SESSION_SYNTAX },
    accounting: { type: "boolean", description: "send Accounting-Requests: Start at first, Stop when a session ends" },
    ca: { type: "string", placeholder: "FILE", description: "CA of the hub" },
    cert: { type: "string", placeholder: "FILE", description: "certificate of the routers" },
    key: { type: "string", placeholder: "FILE", description: "and its key" },
    pki: {
      type: "string",
      placeholder: "FOLDER",
      description: "or the development PKI to issue them (default var/pki)",
    },
    psk: {
      type: "string",
      placeholder: "IDENTITY:KEY",
      description: "or a pre-shared key for TLS 1.3, in hexadecimal digits",
    },
    "server-name": { type: "string", placeholder: "NAME", description: "name that the hub's certificate must have" },
  },
  example: "nas-sim --nas-id shop-7 --acct-session 'user=alice;id=81a20f'",
  // Loaded when asked for: the other commands start without the simulator, the dictionaries and the PKI.
  run: async (context) => (await import("./simulated-routers.ts")).simulate(context),
};
