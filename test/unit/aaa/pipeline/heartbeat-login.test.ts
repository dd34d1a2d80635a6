import { describe, expect, it } from "vitest";
import { callOf } from "../../../../src/aaa/pipeline/options.ts";
import { GuessCounter } from "../../../../src/aaa/users/guess-limits.ts";
import type { ModuleServices } from "../../../../src/aaa/pipeline/types.ts";
import { ManualClock } from "../../../support/manual-clock.ts";
import { contextOf, login, ModuleRig } from "../../../support/module-rig.ts";

const SECTIONS = { authorize: [callOf("pap")], authenticate: { pap: [callOf("pap")] } };

async function rigWith(guesses: GuessCounter): Promise<ModuleRig> {
  const passwords = {
    knows: (_: unknown, password: Buffer) => password.toString() === "right",
    verify: () => Promise.resolve("mismatch" as const),
  };
  const rig = new ModuleRig({ users: { passwords, guesses } as unknown as NonNullable<ModuleServices["users"]> });
  await rig.use([], SECTIONS);
  return rig;
}

describe("the login of the hub's own heartbeat", () => {
  const options = { windowMs: 300_000, userMax: 2, macMax: 2, sourceMax: 2 };

  it("leaves no trace among the wrong passwords, and takes none away", async () => {
    const guesses = new GuessCounter(new ManualClock(), options);
    const rig = await rigWith(guesses);
    const beat = (password: string) =>
      rig.pipeline.answer({ ...contextOf(login("probe", password)), heartbeat: true as const });
    for (let time = 0; time < 10; time += 1) await beat("wrong");
    const attempt = { username: "probe", callingStationId: undefined, source: contextOf([]).link.peerKey };
    expect(guesses.admit(attempt)).toEqual({ ok: true });
    await rig.ask(login("probe", "wrong"));
    expect(await beat("right")).toMatchObject({ kind: "reply", code: 2 });
    await rig.ask(login("probe", "wrong"));
    // The two of a router: what the heartbeat got right between them forgives nothing.
    expect(guesses.admit(attempt)).toMatchObject({ ok: false, by: "user" });
    // And is not held up by them.
    expect(await beat("right")).toMatchObject({ kind: "reply", code: 2 });
    expect(guesses.refused).toEqual({ user: 1, mac: 0, source: 0 });
  });
});
