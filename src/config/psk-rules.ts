import { SharedSecret } from "../radius/authenticator.ts";
import { PskKey } from "../transport/psk.ts";
import { keyText, type KeyPath, type Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";

/** One PSK of the configuration, perhaps read wrongly. */
interface Place {
  readonly psk: unknown;
  readonly path: KeyPath;
  /** Whether the hub offers it to a server, or a router to the hub. */
  readonly outbound: boolean;
}

/** Rules between PSKs, and between them and the RADIUS secrets. */
export function pskRules(values: unknown, report: Report): void {
  const secrets = [...secretsIn(values)];
  const earlier: Place[] = [];
  for (const place of placesOf(values)) {
    const { psk, path } = place;
    identityRule(place, earlier, report);
    const key = valueAt(psk, "key");
    if (key instanceof PskKey) {
      // PSK-02, and a key that two peers have proves neither of them.
      const shared = earlier.find((each) => hasKey(each, key));
      if (shared !== undefined) report([...path, "key"], `is the key of ${keyText(shared.path)} too: each has its own`);
      // PSK-04
      if (secrets.some((secret) => key.equals(secret))) report([...path, "key"], "is a RADIUS shared secret too");
    }
    earlier.push(place);
  }
}

function* placesOf(values: unknown): Iterable<Place> {
  for (const [index, client] of itemsOf(valueAt(values, "clients")).entries()) {
    for (const [position, psk] of itemsOf(valueAt(client, "match", "psk")).entries()) {
      yield { psk, path: ["clients", index, "match", "psk", position], outbound: false };
    }
  }
  for (const [index, server] of itemsOf(valueAt(values, "upstreams", "servers")).entries()) {
    const psk = valueAt(server, "psk");
    if (psk !== undefined) yield { psk, path: ["upstreams", "servers", index, "psk"], outbound: true };
  }
}

/** A key belongs to its identity: of two entries it would be open whose. Several servers may know the hub by one identity, each
 *  with a key of its own; a router may never have it (PSK-14; RFC 9813 Section 6). */
function identityRule({ psk, path, outbound }: Place, earlier: readonly Place[], report: Report): void {
  const identity = valueAt(psk, "identity");
  const same = earlier.find((each) => typeof identity === "string" && valueAt(each.psk, "identity") === identity);
  if (same === undefined) return;
  if (same.outbound !== outbound) {
    report(
      [...path, "identity"],
      `is an identity of ${keyText(same.path)} too: no router may have one of the hub's own`,
    );
  } else if (!outbound) report([...path, "identity"], `duplicate identity: ${keyText(same.path)} has the same`);
}

function hasKey({ psk }: Place, key: PskKey): boolean {
  const other = valueAt(psk, "key");
  return other instanceof PskKey && other.equals(key);
}

/** Every RADIUS secret, wherever it stands. */
function* secretsIn(value: unknown): Iterable<SharedSecret> {
  if (value instanceof SharedSecret) yield value;
  else if (typeof value === "object" && value !== null && !(value instanceof PskKey)) {
    for (const item of Object.values(value)) yield* secretsIn(item);
  }
}
