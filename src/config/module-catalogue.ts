import { BUILT_IN_MODULES } from "../aaa/modules/built-in.ts";
import type { ModuleCatalogue } from "../aaa/pipeline/module-set.ts";
import type { Problem } from "./problem.ts";
import { valueAt } from "./section.ts";
import type { ValueSource } from "./substitution.ts";
import { YamlTree } from "./yaml-tree.ts";

/** The modules that a hub.yaml may name: those that come with the hub, and those in the folder that it names. They are read before
 *  the rest of it, for the rest is checked against them. */
export async function catalogueFor(
  text: string,
  source: ValueSource & { readonly file: string },
): Promise<{ readonly modules: ModuleCatalogue; readonly problems: readonly Problem[] }> {
  const { sound, root } = new YamlTree(text, source.file, source);
  const folder = sound ? valueAt(root, "modules", "folder") : undefined;
  if (typeof folder !== "string" || folder === "") return { modules: BUILT_IN_MODULES, problems: [] };
  const { loadOwnModules } = await import("../aaa/pipeline/own-modules.ts");
  const { modules, problems } = await loadOwnModules(folder, BUILT_IN_MODULES);
  return {
    modules: new Map([...BUILT_IN_MODULES, ...modules]),
    problems: problems.map((problem) => ({ column: 1, key: "", ...problem })),
  };
}
