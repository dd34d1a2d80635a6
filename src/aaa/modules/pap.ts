import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { defineModule, type KnownPassword } from "../pipeline/types.ts";
import type { PasswordVerdict } from "../users/types.ts";
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
      return attemptLogin(request, services, (attempt) => {
        if (control.password !== undefined) return fits(control.password, password) ? "match" : "mismatch";
        const { passwords } = services.users ?? {};
        if (passwords === undefined) return "mismatch";
        if (passwords.knows(control.user, password)) return "match";
        // What is not known in time has no answer. Beyond the deadline it would be a reject, and of a right password.
        const left = request.deadline - services.clock.now();
        const until = request.deadline - Math.min(MARGIN_MS, left / 4);
        return passwords.verify(attempt, control.user, password, until).then(plain);
      });
    },
  }),
});

const MARGIN_MS = 250;

function plain(verdict: PasswordVerdict): AttemptVerdict {
  return verdict === "match" || verdict === "busy" ? verdict : "mismatch";
}

/** Constant-time, for passwords of any two lengths. */
function fits({ kind, octets }: KnownPassword, password: Buffer): boolean {
  const given = kind === "clear-text" ? password : ntHash(password);
  return timingSafeEqual(hash("sha256", octets, "buffer"), hash("sha256", given, "buffer"));
}
