import { z } from "zod";
import type { Action } from "../../aaa/pipeline/actions.ts";
import {
  DEFAULT_SECTIONS,
  GROUP_KINDS,
  type ItemOptions,
  type ModulesOptions,
  type Overrides,
} from "../../aaa/pipeline/options.ts";
import { RETURN_CODES } from "../../aaa/pipeline/types.ts";
import type { KeyPath, Report } from "../problem.ts";
import { reportDuplicates, section, unknownKey, withRules } from "../section.ts";
import { duration, list, name, text } from "../values.ts";

const instance = section({
  module: name("The module: one that comes with the hub, or the operator's own."),
  name: name("Name of the instance in sections, logs and metrics; as shipped, that of the module.").optional(),
  settings: z
    .preprocess((value) => value ?? {}, z.record(z.string(), z.unknown(), "must be a map of keys"))
    .prefault({})
    .meta({ description: "What the module is told; each has its own keys." }),
}).meta({ description: "A module with its settings." });

const item = { anyOf: [{ type: "string" }, { type: "object" }] };

/** A list of instances and groups. Read by hand: a mistake deep in a group has its own place and words. */
function items(description: string, preset: readonly ItemOptions[]) {
  return z
    .unknown()
    .transform((value, context): readonly ItemOptions[] => {
      if (value === undefined) return preset;
      return readItems(value, (path, message) => context.addIssue({ code: "custom", path: [...path], message }));
    })
    .optional()
    .transform((value) => value ?? preset)
    .meta({ description, type: "array", items: item });
}

const sections = section({
  authorize: items("Access-Request: who is it, and how is the password checked.", DEFAULT_SECTIONS.authorize),
  authenticate: z
    .preprocess(
      (value) => value ?? {},
      z.record(z.string().min(1), items("Checks the password.", []), "must be a map of lists by Auth-Type"),
    )
    .prefault({})
    .meta({ description: "Lists by Auth-Type, which authorize has set: the password is checked." }),
  checksimul: items("After the password: how many acct sessions at once.", DEFAULT_SECTIONS.checksimul),
  postauth: items("What goes into the Access-Accept.", DEFAULT_SECTIONS.postauth),
  postauthReject: items("What is done about an Access-Reject.", DEFAULT_SECTIONS.postauthReject),
  preacct: items("Accounting-Request: is it passed on.", DEFAULT_SECTIONS.preacct),
  accounting: items("Accounting-Request: store it.", DEFAULT_SECTIONS.accounting),
  preproxy: items("Before a request is passed on.", DEFAULT_SECTIONS.preproxy),
  postproxy: items("After the answer to a request that was passed on.", DEFAULT_SECTIONS.postproxy),
});

export const modulesSection = section({
  folder: text("Folder with the operator's own modules, one file each.").optional(),
  callTimeout: duration("How long a call of a module may take that has to wait; then it fails.", {
    min: "100ms",
    max: "30s",
  }).prefault("5s"),
  blockedAfter: duration("A module that holds the whole hub for longer is named in the log.", {
    min: "10ms",
    max: "10s",
  }).prefault("100ms"),
  instances: withRules(list("Modules with settings.", instance), (instances, report) => {
    reportDuplicates(named(instances), "name", "name of an instance", report);
  }),
  sections: sections.prefault({}).meta({ description: "Which modules a packet comes to, in order." }),
});

export function modulesOptions(values: z.output<typeof modulesSection>): ModulesOptions {
  const { folder, callTimeout, blockedAfter, instances, sections: lists } = values;
  const authenticate = Object.entries(lists.authenticate).map(([authType, list]) => [authType.toLowerCase(), list]);
  return {
    folder,
    callTimeoutMs: callTimeout,
    blockedAfterMs: blockedAfter,
    instances: instances.map((each) => ({ ...each, name: each.name ?? each.module })),
    sections: { ...lists, authenticate: { ...DEFAULT_SECTIONS.authenticate, ...Object.fromEntries(authenticate) } },
  };
}

/** An instance without a name has that of its module. */
function named(instances: unknown): unknown {
  if (!Array.isArray(instances)) return instances;
  return instances.map((each: { name?: unknown; module?: unknown }) => ({ name: each?.name ?? each?.module }));
}

/** Reads a list of a section. What is wrong is reported and left out. */
export function readItems(value: unknown, report: Report, at: KeyPath = []): readonly ItemOptions[] {
  if (value === null) return [];
  if (!Array.isArray(value)) {
    report(at, "must be a list of instances and groups");
    return [];
  }
  return value.flatMap((each, index) => readItem(each, report, [...at, index]));
}

function readItem(value: unknown, report: Report, at: KeyPath): ItemOptions[] {
  if (typeof value === "string") return [{ kind: "call", instance: value, on: {} }];
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report(at, "must be the name of an instance, or a map with instance, group, redundant or load-balance");
    return [];
  }
  const map = value as Readonly<Record<string, unknown>>;
  const known = ["instance", ...GROUP_KINDS, "on"];
  for (const key of Object.keys(map)) if (!known.includes(key)) report([...at, key], unknownKey(key, known));
  const kinds = ["instance", ...GROUP_KINDS].filter((key) => key in map);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) {
    report(at, `needs exactly one of ${["instance", ...GROUP_KINDS].join(", ")}`);
    return [];
  }
  const on = readOverrides(map["on"], report, [...at, "on"]);
  if (kind === "instance") {
    const { instance: called } = map;
    if (typeof called === "string" && called !== "") return [{ kind: "call", instance: called, on }];
    report([...at, "instance"], "must be the name of an instance");
    return [];
  }
  const inner = readItems(map[kind], report, [...at, kind]);
  if (inner.length === 0 && Array.isArray(map[kind])) report([...at, kind], "must not be an empty list");
  return [{ kind: kind as (typeof GROUP_KINDS)[number], items: inner, on }];
}

function readOverrides(value: unknown, report: Report, at: KeyPath): Overrides {
  if (value === undefined || value === null) return {};
  if (typeof value !== "object" || Array.isArray(value)) {
    report(at, "must be a map of return codes to actions");
    return {};
  }
  const overrides: Record<string, Action> = {};
  for (const [code, action] of Object.entries(value)) {
    if (!(RETURN_CODES as readonly string[]).includes(code)) report([...at, code], unknownKey(code, RETURN_CODES));
    else if (isAction(action)) overrides[code] = action;
    else report([...at, code], "must be return, reject or a priority from 1 to 9999");
  }
  return overrides;
}

function isAction(value: unknown): value is Action {
  if (value === "return" || value === "reject") return true;
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 9_999;
}
