import { hash, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { ATTRIBUTE, firstInteger } from "../../radius/attribute.ts";
import { verifyChapPassword } from "../../radius/hidden.ts";
import { callingStationKey } from "../../store/calling-station.ts";
import { type AaaRequest, defineModule } from "../pipeline/types.ts";
import { attemptLogin } from "./attempt.ts";

/** Service-Type of a MAC authentication (RFC 2865 Section 5.6). */
const CALL_CHECK = 10;
const MAC = /^[0-9a-f]{12}$/;

const FORMATS = {
  aabbccddeeff: "",
  "aa:bb:cc:dd:ee:ff": ":",
  "aa-bb-cc-dd-ee-ff": "-",
} as const;

const settings = z.strictObject({
  format: z
    .enum([
      "aabbccddeeff",
      "aa:bb:cc:dd:ee:ff",
      "aa-bb-cc-dd-ee-ff",
      "AABBCCDDEEFF",
      "AA:BB:CC:DD:EE:FF",
      "AA-BB-CC-DD-EE-FF",
    ])
    .default("aabbccddeeff")
    .meta({ description: "How MAC addresses are written as names of users in the store." }),
  password: z
    .string()
    .min(1)
    .optional()
    .meta({ description: "What the NAS sends as password; without it, the MAC address in any notation." }),
});

/** MAC authentication: a device is known by its Calling-Station-Id, and its user is named like it. The list `authorize` has it in
 *  front of `users`. A MAC address is no secret: who can choose one can be anybody's device. */
export const mac = defineModule({
  name: "mac",
  settings,
  components: () => ["authorize", "authenticate"],
  instantiate: ({ format, password: shared }, services) => ({
    authorize(request) {
      const { control } = request;
      if (control.authType !== undefined || control.proxyTo !== undefined) return "noop";
      const address = deviceOf(request);
      if (address === undefined) return "noop";
      control.username = written(address, format);
      control.authType = "MAC";
      return "updated";
    },
    authenticate(request) {
      const address = deviceOf(request);
      if (address === undefined) return "invalid";
      return attemptLogin(request, services, () => {
        if (!passwordFits(request, address, shared)) return "mismatch";
        // Every new device of a hotspot is a stranger: counted as a guess, it would keep itself and its neighbours from the portal.
        return request.control.user === undefined ? "stranger" : "match";
      });
    },
  }),
});

/** The 12 digits of a MAC that authenticates: User-Name and Calling-Station-Id say the same, and not of a person whose name
 *  happens to look like one. Undefined for every other request. */
function deviceOf(request: AaaRequest): string | undefined {
  const name = macOf(request.octets(ATTRIBUTE.userName));
  const station = macOf(request.octets(ATTRIBUTE.callingStationId));
  if (station === undefined) return undefined;
  const isCallCheck = firstInteger(request.packet.attributes, ATTRIBUTE.serviceType) === CALL_CHECK;
  return name === station || (isCallCheck && name === undefined) ? station : undefined;
}

function macOf(octets: Buffer | undefined): string | undefined {
  if (octets === undefined) return undefined;
  const key = callingStationKey(octets.toString("latin1")).replaceAll("-", "").toLowerCase();
  return MAC.test(key) ? key : undefined;
}

function written(address: string, format: z.output<typeof settings>["format"]): string {
  const separator = FORMATS[format.toLowerCase() as keyof typeof FORMATS];
  const text = (address.match(/../g) as string[]).join(separator);
  return format === format.toLowerCase() ? text : text.toUpperCase();
}

/** No password at all, the shared one, or the MAC address as the NAS writes it. */
function passwordFits(request: AaaRequest, address: string, shared: string | undefined): boolean {
  const chap = request.octets(ATTRIBUTE.chapPassword);
  const given = request.password();
  if (chap === undefined && given === undefined) return shared === undefined;
  if (shared !== undefined) {
    const expected = Buffer.from(shared);
    return given === undefined ? verifyChapPassword(request.packet, expected) === true : isEqual(expected, given);
  }
  if (given !== undefined) return macOf(given) === address;
  const name = request.octets(ATTRIBUTE.userName) ?? Buffer.alloc(0);
  return verifyChapPassword(request.packet, name) === true;
}

function isEqual(left: Buffer, right: Buffer): boolean {
  return timingSafeEqual(hash("sha256", left, "buffer"), hash("sha256", right, "buffer"));
}
