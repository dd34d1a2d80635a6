import { z } from "zod";
import { unknownNames } from "./attribute-mistakes.ts";
import { COMPONENTS, type AaaRequest, type Component, defineModule, type ModuleInstance } from "../pipeline/types.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;

const settings = z.strictObject({
  level: z.enum(LEVELS).default("info").meta({ description: "Level of its lines." }),
  attributes: z
    .array(z.string().min(1))
    .default(["Calling-Station-Id", "NAS-Identifier"])
    .meta({ description: "Attributes of the request that a line tells; of secret ones only that they are there." }),
});

/** Writes a line for each packet that comes to its place in a section. */
export const log = defineModule({
  name: "log",
  settings,
  mistakes: ({ attributes }, { dictionary }) => unknownNames(["attributes"], attributes, dictionary),
  components: () => COMPONENTS,
  instantiate({ level, attributes }, services) {
    const line = (component: Component) => (request: AaaRequest) => {
      if (request.heartbeat) return "noop" as const;
      const { control, link, reply, username } = request;
      const told = Object.fromEntries(attributes.map((name) => [name, request.text(name)]));
      const facts = {
        component,
        username,
        client: link.client.name,
        linkId: link.linkId,
        replyCode: reply.code,
        rejectReason: control.rejectReason,
        proxyTo: control.proxyTo,
        ...told,
      };
      services.log[level](facts, `${component}: ${username ?? "nobody"}`);
      return "noop" as const;
    };
    return Object.fromEntries(COMPONENTS.map((component) => [component, line(component)])) as ModuleInstance;
  },
});
