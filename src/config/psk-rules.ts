import { SharedSecret } from "../radius/authenticator.ts";
import { PskKey } from "../transport/psk.ts";
import { keyText, type KeyPath, type Report } from "./problem.ts";
import { itemsOf, valueAt } from "./section.ts";

/** Rules between PSKs, and between them and the RADIUS secrets. */
export function pskRules(values: unknown, report: Report): void {
  const secrets = [...secretsIn(values)];
  const earlier: { readonly identity: unknown; readonly key: unknown; readonly path: KeyPath }[] = [];
  for (const [index, client] of itemsOf(valueAt(values, "clients")).entries()) {
    for (const [position, psk] of itemsOf(valueAt(client, "match", "psk")).entries()) {
      const path = ["clients", index, "match", "psk", position];
      const identity = valueAt(psk, "identity");
      const key = valueAt(psk, "key");
      // The key belongs to the identity: with two entries it would be open whose.
      const same = earlier.find((each) => typeof identity === "string" && each.identity === identity);
      if (same !== undefined) report([...path, "identity"], `duplicate identity: ${keyText(same.path)} has the same`);
      if (key instanceof PskKey) {
        // PSK-02, and a key that two routers have proves neither of them.
        const shared = earlier.find((each) => each.key instanceof PskKey && each.key.equals(key));
        if (shared !== undefined)
          report([...path, "key"], `is the key of ${keyText(shared.path)} too: each has its own`);
        // PSK-04
        if (secrets.some((secret) => key.equals(secret))) report([...path, "key"], "is a RADIUS shared secret too");
      }
      earlier.push({ identity, key, path });
    }
  }
}

/** Every RADIUS secret, wherever it stands. */
function* secretsIn(value: unknown): Iterable<SharedSecret> {
  if (value instanceof SharedSecret) yield value;
  else if (typeof value === "object" && value !== null && !(value instanceof PskKey)) {
    for (const item of Object.values(value)) yield* secretsIn(item);
  }
}
