/** What names a NAS in the session index. `shared`: configuration lets several peers use the name, so it alone names nobody. */
export interface NasNames {
  readonly nasIdentifier: string | undefined;
  /** Canonical NAS-IP-Address or NAS-IPv6-Address. */
  readonly nasAddress: string | undefined;
  readonly peerKey: string;
  readonly shared: boolean;
}

/** The key of a NAS: its NAS-Identifier, which is bound to its peer; else its address at its peer, because behind NAT many
 *  routers have the same; else its peer. RFC 2866 Section 4.1 asks for one of the first two. */
export function nasKeyOf(nas: NasNames): string {
  const peer = `${escaped(nas.peerKey)}|`;
  if (nas.nasIdentifier !== undefined) return (nas.shared ? peer : "") + escaped(nas.nasIdentifier);
  return peer + escaped(nas.nasAddress ?? "");
}

/** The key of an acct session. The generation belongs to it because a NAS that reboots may begin its numbers anew. */
export function acctSessionKey(nasKey: string, acctSessionId: string, generation: number): string {
  return generationKey(`${nasKey}/${escaped(acctSessionId)}`, generation);
}

/** The key of a generation of the acct session whose generation 0 has the key `base`. */
export function generationKey(base: string, generation: number): string {
  return generation === 0 ? base : `${base}#${generation}`;
}

/** Takes a key of acctSessionKey() apart: its generation, and the key of generation 0. */
export function splitAcctSessionKey(key: string): { readonly base: string; readonly generation: number } {
  const hash = key.indexOf("#", key.lastIndexOf("/"));
  return hash === -1
    ? { base: key, generation: 0 }
    : { base: key.slice(0, hash), generation: Number(key.slice(hash + 1)) };
}

const SEPARATORS = /[%/#|]/;

/** Different parts never run into each other: the three separators and the escape character itself are written as octets. */
function escaped(text: string): string {
  if (!SEPARATORS.test(text)) return text;
  return text.replaceAll(/[%/#|]/g, (character) => `%${character.charCodeAt(0).toString(16)}`);
}
