// The package export "radsec-hub/module": what an operator's own module is written against. It changes with a major version only.
export { z } from "zod";
export { ATTRIBUTE, type Attribute } from "../../radius/attribute.ts";
export { HubError } from "../../errors.ts";
export {
  type AaaRequest,
  type AttributeList,
  type Control,
  defineModule,
  type ModuleDefinition,
  type ModuleInstance,
  type ModuleServices,
  type ReplyList,
  type ReturnCode,
} from "./types.ts";
