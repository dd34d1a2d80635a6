import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { ntHash } from "../mschap/nt-hash.ts";
import { defineModule, type KnownPassword } from "../pipeline/types.ts";
import { type AttemptVerdict, attemptLogin } from "./attempt.ts";

/** PAP: User-Password (RFC 2865 Section 5.2) against whichever form of the password is known. */
export const pap = defineModule({
  name: "pap",
  settings: z.strictObject({}),
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
      return attemptLogin(request, services, async (): Promise<AttemptVerdict> => {
        if (control.password !== undefined) return fits(control.password, password) ? "match" : "mismatch";
        const verdict = await services.users?.passwords.verify(control.user, password);
        return verdict === "match" || verdict === "busy" ? verdict : "mismatch";
      });
    },
  }),
});

/** Constant-time, for passwords of any two lengths. */
function fits({ kind, octets }: KnownPassword, password: Buffer): boolean {
  const given = kind === "clear-text" ? password : ntHash(password);
  return timingSafeEqual(hash("sha256", octets, "buffer"), hash("sha256", given, "buffer"));
}
