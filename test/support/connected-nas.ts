import { systemRandom } from "../../src/clock.ts";
import { ATTRIBUTE, type Attribute, textAttribute } from "../../src/radius/attribute.ts";
import { encodeRequest, RADSEC_SECRET } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { RawNas } from "./raw-nas.ts";
import { RunningHub } from "./running-hub.ts";

const NAME = textAttribute(ATTRIBUTE.nasIdentifier, "nas-07");

/** A hub and one router on a link, with a certificate for "nas-07". */
export async function connected(
  options: Parameters<typeof RunningHub.start>[0] = {},
): Promise<{ hub: RunningHub; nas: RawNas }> {
  const hub = await RunningHub.start(options);
  const nas = await RawNas.dial(hub.radsecPort, await hub.credentials("nas-07"));
  await hub.event("link.up");
  return { hub, nas };
}

/** The octets of a Status-Server. */
export function status(attributes: readonly Attribute[] = [NAME], secret = RADSEC_SECRET): Buffer {
  return encodeRequest(CODE.statusServer, 0, attributes, systemRandom.bytes(16), secret);
}

/** A Status-Server with one octet changed after signing. */
export function spoiled(offset: number, value: number): Buffer {
  const octets = status();
  octets[offset] = value;
  return octets;
}
