import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config.ts";

/** What a running hub takes over from a new configuration (SIGHUP), section by section: all of it but for the keys that are
 *  listed, which need a restart. The one place where this is decided; the log of a reload and the documents follow it. */
export const LIVE_KEYS: { readonly [Section in keyof Config]: { readonly restart: readonly string[] } } = {
  node: { restart: ["name"] }, // every link id carries it
  radsec: { restart: ["name", "address", "port"] }, // also a listener that is added or removed
  udp: { restart: ["name", "addresses", "authPort", "acctPort", "dynauthPort", "receiveBufferBytes"] }, // as radsec
  udpRouters: { restart: ["linksMax"] },
  tcp: { restart: ["name", "address", "port"] }, // as radsec
  clients: { restart: [] }, // live links are checked again (TLS-11)
  bindings: { restart: [] },
  dynauth: { restart: [] },
  upstreams: { restart: [] }, // a server that changes is made anew; requests in flight end with the old one
  realms: { restart: [] },
  heartbeat: { restart: [] },
  store: { restart: ["kind", "file", "url", "synchronous"] },
  accounting: { restart: ["enabled"] },
  quota: { restart: [] },
  users: { restart: [] },
  webhooks: { restart: [] },
  modules: { restart: [] }, // built anew; requests in flight end with the old ones
  status: { restart: [] },
  http: { restart: ["address", "port"] }, // also to begin or end having one
  pki: { restart: ["folder", "names"] },
  log: { restart: ["format", "file"] },
};

export interface ConfigDiff {
  /** Sections that differ at all. */
  readonly changed: readonly (keyof Config)[];
  /** Sections of them in which something changes live. */
  readonly live: readonly (keyof Config)[];
  /** Key paths whose new value waits for a restart: "radsec[0].port", "http". */
  readonly needsRestart: readonly string[];
}

/** What differs between two configurations, and what of that needs a restart. */
export function diffConfig(old: Config, next: Config): ConfigDiff {
  const sections = Object.keys(LIVE_KEYS) as (keyof Config)[];
  const changed = sections.filter((section) => !isDeepStrictEqual(old[section], next[section]));
  const needsRestart = changed.flatMap((section) => restartKeys(section, old[section], next[section]));
  const live = changed.filter((section) => {
    if (needsRestart.includes(section)) return false;
    const keys = LIVE_KEYS[section].restart;
    return !isDeepStrictEqual(without(old[section], keys), without(next[section], keys));
  });
  return { changed, live, needsRestart };
}

function restartKeys(section: keyof Config, old: unknown, next: unknown): string[] {
  const keys = LIVE_KEYS[section].restart;
  if (keys.length === 0) return [];
  if (Array.isArray(old) && Array.isArray(next)) {
    if (old.length !== next.length) return [section];
    return old.flatMap((item, index) => differing(keys, item, next[index]).map((key) => `${section}[${index}].${key}`));
  }
  if (old === undefined || next === undefined) return [section];
  return differing(keys, old, next).map((key) => `${section}.${key}`);
}

function differing(keys: readonly string[], old: unknown, next: unknown): string[] {
  return keys.filter((key) => !isDeepStrictEqual((old as Values)[key], (next as Values)[key]));
}

type Values = Readonly<Record<string, unknown>>;

function without(section: unknown, keys: readonly string[]): unknown {
  if (Array.isArray(section)) return section.map((item) => without(item, keys));
  if (typeof section !== "object" || section === null || keys.length === 0) return section;
  return Object.fromEntries(Object.entries(section).filter(([key]) => !keys.includes(key)));
}
