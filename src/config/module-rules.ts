import { z } from "zod";
import type { ModuleCatalogue } from "../aaa/pipeline/module-set.ts";
import { readSettings } from "../aaa/pipeline/module-settings.ts";
import type { ItemOptions } from "../aaa/pipeline/options.ts";
import { type Component, COMPONENTS, type ModuleDefinition } from "../aaa/pipeline/types.ts";
import type { Dictionary } from "../radius/dictionary.ts";
import type { KeyPath, Report } from "./problem.ts";
import { itemsOf, unknownKey, valueAt } from "./section.ts";
import { readItems } from "./sections/modules.ts";
import { nearest } from "./spelling.ts";

/** Reports instances of modules that do not exist, settings that their module does not take, and sections that name what is not
 *  there.
 *  @param root the values of hub.yaml, right or wrong */
export function checkModules(
  root: unknown,
  modules: ModuleCatalogue,
  dictionary: Dictionary | undefined,
  report: Report,
): void {
  const pools = new Set(itemsOf(valueAt(root, "upstreams", "pools")).map((pool) => String(valueAt(pool, "name"))));
  const instances = itemsOf(valueAt(root, "modules", "instances"));
  const names = new Set(modules.keys());
  /** Components of an instance, as far as its module and its settings say. */
  const components = new Map<string, { readonly module: string; readonly has: ReadonlySet<Component> | undefined }>();
  for (const [name, definition] of modules) components.set(name, { module: name, has: componentsOf(definition, {}) });
  for (const [index, instance] of instances.entries()) {
    const path: KeyPath = ["modules", "instances", index];
    const module = valueAt(instance, "module");
    const name = valueAt(instance, "name");
    if (typeof name === "string") names.add(name);
    if (typeof module !== "string" || module === "") continue;
    const definition = modules.get(module);
    const own = typeof name === "string" ? name : module;
    components.set(own, { module, has: definition && componentsOf(definition, valueAt(instance, "settings")) });
    if (definition === undefined) {
      report([...path, "module"], unknownName("module", module, [...modules.keys()]));
      continue;
    }
    const within: Report = (inner, message) => report([...path, "settings", ...inner], message);
    const read = readSettings(definition.settings, valueAt(instance, "settings"));
    if (!read.success) {
      for (const issue of read.error.issues) reportIssue(issue, definition.settings, within);
    } else if (dictionary !== undefined) {
      const mistakes = definition.mistakes?.(read.data, { dictionary, pools }) ?? [];
      for (const { path: inner, message } of mistakes) within(inner, message);
    }
  }
  for (const { path, name } of namesInSections(valueAt(root, "modules", "sections"))) {
    if (!names.has(name)) report(path, unknownName("instance or module", name, [...names]));
    const { module, has } = components.get(name) ?? {};
    const component = componentAt(path);
    if (component === undefined || has === undefined || has.has(component)) continue;
    report(path, `module ${module} has no component ${component}; it has ${[...has].join(", ") || "none"}`);
  }
}

/** Undefined where the module does not say, or its settings are wrong. */
function componentsOf(definition: ModuleDefinition, settings: unknown): ReadonlySet<Component> | undefined {
  const read = readSettings(definition.settings, settings);
  const listed = read.success ? definition.components?.(read.data) : undefined;
  return listed && new Set(listed);
}

/** The component that a place in the sections calls. */
function componentAt(path: KeyPath): Component | undefined {
  const [, , section] = path;
  return section === "postauthReject" ? "postauth" : COMPONENTS.find((each) => each === section);
}

function unknownName(what: string, name: string, known: readonly string[]): string {
  const meant = nearest(name, known);
  const hint = meant === undefined ? `known: ${known.toSorted().join(", ")}` : `did you mean "${meant}"?`;
  return `there is no ${what} of this name; ${hint}`;
}

function reportIssue(issue: z.core.$ZodIssue, schema: z.ZodType, report: Report): void {
  const path = issue.path as KeyPath;
  if (issue.code !== "unrecognized_keys") return report(path, issue.message);
  const known = schema instanceof z.ZodObject && path.length === 0 ? Object.keys(schema.shape) : [];
  for (const key of issue.keys) report([...path, key], known.length === 0 ? "unknown key" : unknownKey(key, known));
}

/** Every name in the sections, with its place. */
function namesInSections(sections: unknown): readonly { readonly path: KeyPath; readonly name: string }[] {
  if (typeof sections !== "object" || sections === null) return [];
  const { authenticate, ...lists } = sections as Readonly<Record<string, unknown>>;
  const base: KeyPath = ["modules", "sections"];
  const inLists = Object.entries(lists).flatMap(([key, list]) => namesInList(list, [...base, key]));
  const byAuthType = typeof authenticate === "object" && authenticate !== null ? Object.entries(authenticate) : [];
  return [...inLists, ...byAuthType.flatMap(([key, list]) => namesInList(list, [...base, "authenticate", key]))];
}

function namesInList(list: unknown, path: KeyPath): { readonly path: KeyPath; readonly name: string }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((raw: unknown, index) => {
    const at = [...path, index];
    const [item] = readItems([raw], () => undefined);
    return item === undefined ? [] : namesInItem(item, raw, at);
  });
}

function namesInItem(
  item: ItemOptions,
  raw: unknown,
  at: KeyPath,
): { readonly path: KeyPath; readonly name: string }[] {
  if (item.kind !== "call") return namesInList(valueAt(raw, item.kind), [...at, item.kind]);
  return [{ path: typeof raw === "string" ? at : [...at, "instance"], name: item.instance }];
}
