import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { defineModule, type KnownPassword } from "../pipeline/types.ts";
import type { KnownUser, PasswordCheck } from "../users/types.ts";
import { type AttemptVerdict, attemptLogin } from "./attempt.ts";

/** PAP: User-Password (RFC 2865 Section 5.2) against whichever form of the password is known. */
export const pap = defineModule({
  name: "pap",
  settings: z.strictObject({}),
  components: () => ["authorize", "authenticate"],
  instantiate: (_settings, services) => ({
    authorize(request) {
      const { control } = request;
      if (control.authType !== undefined || control.proxyTo !== undefined) return "noop";
      if (request.octets(ATTRIBUTE.userPassword) === undefined) return "noop";
      control.authType = "PAP";
      return "updated";
    },
    authenticate(request) {
      const { control } = request;
      const password = request.password();
      if (password === undefined) return "invalid";
      // At once where the password is remembered: a promise per login is what a fast answer can not afford.
      return attemptLogin(request, services, () => {
        if (control.password !== undefined) return fits(control.password, password) ? "match" : "mismatch";
        const { passwords } = services.users ?? {};
        if (passwords === undefined) return "mismatch";
        return passwords.knows(control.user, password) ? "match" : slowly(passwords, control.user, password);
      });
    },
  }),
});

async function slowly(check: PasswordCheck, known: KnownUser | undefined, password: Buffer): Promise<AttemptVerdict> {
  const verdict = await check.verify(known, password);
  return verdict === "match" || verdict === "busy" ? verdict : "mismatch";
}

/** Constant-time, for passwords of any two lengths. */
function fits({ kind, octets }: KnownPassword, password: Buffer): boolean {
  const given = kind === "clear-text" ? password : ntHash(password);
  return timingSafeEqual(hash("sha256", octets, "buffer"), hash("sha256", given, "buffer"));
}
