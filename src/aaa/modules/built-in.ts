import type { ModuleCatalogue } from "../pipeline/module-set.ts";
import type { ModuleDefinition } from "../pipeline/types.ts";
import { attrFilter } from "./attr-filter.ts";
import { chap } from "./chap.ts";
import { checksimul } from "./checksimul.ts";
import { log } from "./log.ts";
import { mac } from "./mac.ts";
import { mschap } from "./mschap.ts";
import { pap } from "./pap.ts";
import { plan } from "./plan.ts";
import { proxy } from "./proxy.ts";
import { quota } from "./quota.ts";
import { rest } from "./rest/rest.ts";
import { sessions } from "./sessions.ts";
import { users } from "./users.ts";

const DEFINITIONS: readonly ModuleDefinition[] = [
  attrFilter,
  chap,
  checksimul,
  log,
  mac,
  mschap,
  pap,
  plan,
  proxy,
  quota,
  rest,
  sessions,
  users,
];

/** The modules that come with the hub. */
export const BUILT_IN_MODULES: ModuleCatalogue = new Map(DEFINITIONS.map((each) => [each.name, each]));
