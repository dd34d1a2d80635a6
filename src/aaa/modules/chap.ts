import { z } from "zod";
import { ATTRIBUTE } from "../../radius/attribute.ts";
import { verifyChapPassword } from "../../radius/hidden.ts";
import { defineModule } from "../pipeline/types.ts";
import { attemptLogin } from "./attempt.ts";

const DECOY_BYTES = 16;

/** CHAP: CHAP-Password (RFC 2865 Section 5.3). It needs the password in clear text. */
export const chap = defineModule({
  name: "chap",
  settings: z.strictObject({}),
  components: () => ["authorize", "authenticate"],
  instantiate(_settings, services) {
    // What a response is compared with where there is no password: the comparison takes its time all the same.
    const decoy = services.random.bytes(DECOY_BYTES);
    return {
      authorize(request) {
        const { control } = request;
        if (control.authType !== undefined || control.proxyTo !== undefined) return "noop";
        if (request.octets(ATTRIBUTE.chapPassword) === undefined) return "noop";
        control.authType = "CHAP";
        return "ok";
      },
      authenticate(request) {
        const { control, packet } = request;
        const own = control.password?.kind === "clear-text" ? control.password.octets : undefined;
        const password = own ?? control.user?.clearText;
        const verdict = verifyChapPassword(packet, password ?? decoy);
        if (verdict === undefined) return "invalid";
        return attemptLogin(request, services, () => (verdict && password !== undefined ? "match" : "mismatch"));
      },
    };
  },
});
