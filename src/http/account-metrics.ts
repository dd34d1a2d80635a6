import { Counter, Gauge, type Registry as MetricRegistry } from "prom-client";
import type { HubEvent } from "../events.ts";
import type { AccountsView } from "./options.ts";

const ACTIONS = ["change", "disconnect"] as const;
const ENDS = ["done", "gone", "again", "away", "given-up"] as const;
const HELD_UP = ["user", "mac", "source"] as const;

/** Figures of users and plans. No label names a user, a plan or a NAS. */
export class AccountMetrics {
  readonly #told: Counter<"action" | "told">;

  constructor(registry: MetricRegistry, accounts: Pick<AccountsView, "load">) {
    const registers = [registry];
    this.#told = new Counter({
      name: "radsec_hub_user_updates_total",
      help: "Acct sessions whose router was told of a changed user or plan",
      labelNames: ["action", "told"],
      registers,
    });
    for (const action of ACTIONS) for (const told of ENDS) this.#told.inc({ action, told }, 0);
    const gauge = (name: string, help: string, read: () => number): void => {
      new Gauge({
        name: `radsec_hub_${name}`,
        help,
        registers,
        collect() {
          this.set(read());
        },
      });
    };
    gauge("user_changes_due", "Changed users and plans whose turn has not come", () => accounts.load.updates.due);
    gauge("user_changes_running", "Changed users whose routers are being told", () => accounts.load.updates.running);
    gauge("passwords_hashing", "Passwords that are being hashed", () => accounts.load.passwords.running);
    gauge("passwords_waiting", "Passwords that wait to be hashed", () => accounts.load.passwords.waiting);
    gauge("passwords_remembered", "Right passwords that need no hash", () => accounts.load.passwords.remembered);
    const counter = (name: string, help: string, read: () => number): void => {
      new Counter({
        name: `radsec_hub_${name}`,
        help,
        registers,
        collect() {
          this.reset();
          this.inc(read());
        },
      });
    };
    counter(
      "passwords_refused_total",
      "Logins not answered because too many passwords waited to be hashed",
      () => accounts.load.passwords.refused,
    );
    counter(
      "passwords_held_total",
      "Logins not answered because too many passwords of their user, device or router were being tried",
      () => accounts.load.passwords.held,
    );
    counter(
      "passwords_late_total",
      "Logins not answered because their hash was not ready in time; it goes on, for the repeated request",
      () => accounts.load.passwords.late,
    );
    new Counter({
      name: "radsec_hub_guesses_refused_total",
      help: "Logins refused unseen after too many wrong passwords, by what held them up",
      labelNames: ["by"],
      registers,
      collect() {
        this.reset();
        for (const by of HELD_UP) this.inc({ by }, accounts.load.guessesRefused[by]);
      },
    });
  }

  count(event: HubEvent): void {
    if (event.type === "user.told") this.#told.inc({ action: event.action, told: event.told });
  }
}
