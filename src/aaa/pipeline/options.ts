import type { Action } from "./actions.ts";
import type { Component, ReturnCode } from "./types.ts";

/** Everything about modules, as config.ts makes it. Plain data; durations in milliseconds. */
export interface ModulesOptions {
  /** Folder with the operator's own modules; undefined: none. */
  readonly folder: string | undefined;
  /** How long one awaited call of a module may take. */
  readonly callTimeoutMs: number;
  /** A call that holds the event loop for longer is told of. */
  readonly blockedAfterMs: number;
  readonly instances: readonly InstanceOptions[];
  readonly sections: SectionsOptions;
}

export interface InstanceOptions {
  /** Unique. */
  readonly name: string;
  /** Name of the definition. */
  readonly module: string;
  /** As in hub.yaml; the module's schema reads it. */
  readonly settings: unknown;
}

export interface SectionsOptions extends Readonly<Record<Exclude<Component, "authenticate">, readonly ItemOptions[]>> {
  /** By Auth-Type, lower case. */
  readonly authenticate: Readonly<Record<string, readonly ItemOptions[]>>;
  /** Instead of postauth for who is rejected. */
  readonly postauthReject: readonly ItemOptions[];
}

export type ItemOptions = CallOptions | GroupOptions;

export interface CallOptions {
  readonly kind: "call";
  /** Name of an instance, or of a module that then has one with no settings. */
  readonly instance: string;
  readonly on: Overrides;
}

/** redundant: the next item when one fails. load-balance: one at random. redundant-load-balance: from one at random on, the next
 *  when it fails. group: a list of its own. */
export const GROUP_KINDS = ["group", "redundant", "load-balance", "redundant-load-balance"] as const;

export interface GroupOptions {
  readonly kind: (typeof GROUP_KINDS)[number];
  readonly items: readonly ItemOptions[];
  readonly on: Overrides;
}

/** What differs from the default actions. */
export type Overrides = Readonly<Partial<Record<ReturnCode, Action>>>;

/** A call as it is without overrides. */
export function callOf(instance: string): CallOptions {
  return { kind: "call", instance, on: {} };
}

/** The sections of a hub.yaml that has none: realms are forwarded, users of the store are let in, accounting is stored. */
export const DEFAULT_SECTIONS: SectionsOptions = {
  authorize: ["proxy", "users", "chap", "mschap", "pap", "quota"].map(callOf),
  authenticate: { pap: [callOf("pap")], chap: [callOf("chap")], "ms-chap": [callOf("mschap")], mac: [callOf("mac")] },
  preacct: [callOf("proxy")],
  accounting: [callOf("sessions")],
  checksimul: [callOf("checksimul")],
  postauth: ["plan", "quota"].map(callOf),
  postauthReject: [],
  preproxy: [],
  postproxy: [],
};
