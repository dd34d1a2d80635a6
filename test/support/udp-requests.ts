import { systemRandom } from "../../src/clock.ts";
import { type Attribute, textAttribute } from "../../src/radius/attribute.ts";
import { FIRST_VALUE_OFFSET, signRequest } from "../../src/radius/authenticator.ts";
import { CODE } from "../../src/radius/codes.ts";
import { encodePacket } from "../../src/radius/packet.ts";
import type { ClientEntry } from "../../src/transport/client-entry.ts";
import type { UdpPurpose } from "../../src/transport/udp-port.ts";
import { NAS, request, SECRET, UdpFixture, type UdpFixtureOptions, UdpHost, USER } from "./udp-fixture.ts";
import { UNSIGNED } from "./unsigned.ts";

export const PROXY_STATE: Attribute = textAttribute(33, "p1");
/** Of a router that need not sign its Access-Requests. */
export const LENIENT: Partial<ClientEntry> = { requireMessageAuthenticator: false };

/** An Access-Request without Message-Authenticator. */
export function bare(attributes: readonly Attribute[] = [NAS, USER], identifier = 1): Buffer {
  return encodePacket(CODE.accessRequest, identifier, systemRandom.bytes(16), attributes);
}

/** A request with a wrong Message-Authenticator; its Request Authenticator, where it is computed, is right. */
export function badlySigned(code: number, attributes: readonly Attribute[] = [NAS, USER], identifier = 1): Buffer {
  const all = [UNSIGNED, ...attributes];
  const octets = encodePacket(code, identifier, systemRandom.bytes(16), all);
  octets.fill(0x5a, FIRST_VALUE_OFFSET, FIRST_VALUE_OFFSET + 16);
  signRequest(octets, -1, SECRET);
  return octets;
}

/** The port is alive: what was sent before has been looked at, since a socket keeps order. */
export async function alive(host: UdpHost, fixture: UdpFixture, purpose: UdpPurpose): Promise<void> {
  const code = { auth: CODE.statusServer, acct: CODE.statusServer, dynauth: CODE.coaRequest }[purpose];
  await host.ask(request(code, [NAS], 250), fixture.port(purpose));
}

/** A listener and somebody who speaks to it. */
export async function both(
  options: UdpFixtureOptions = {},
): Promise<{ readonly fixture: UdpFixture; readonly host: UdpHost }> {
  return { fixture: await UdpFixture.start(options), host: await UdpHost.open() };
}
