import { z } from "zod";
import { type AaaRequest, defineModule, type ReturnCode } from "../pipeline/types.ts";
import { unknownNames, wrongValues } from "./attribute-mistakes.ts";

const names = z.array(z.string().min(1));

const settings = z.strictObject({
  remove: names.default([]).meta({ description: "Attributes that are taken out of the reply." }),
  keep: names.optional().meta({ description: "The only ones that stay; without it, all." }),
  set: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .meta({ description: "Attributes that the reply has with exactly this value." }),
});

/** Decides what of a reply goes to the NAS: after a proxied answer, or in any other section. */
export const attrFilter = defineModule({
  name: "attr-filter",
  settings,
  mistakes: ({ remove, keep = [], set }, { dictionary }) => [
    ...unknownNames(["remove"], remove, dictionary),
    ...unknownNames(["keep"], keep, dictionary),
    ...wrongValues(["set"], set, dictionary),
  ],
  components: () => ["postproxy", "postauth", "authorize"],
  instantiate({ remove, keep, set }, { dictionary }) {
    const values = Object.entries(set).map(([name, value]) => ({ name, encoded: dictionary.encode(name, value) }));

    function filter({ reply }: AaaRequest): ReturnCode {
      const before = reply.attributes;
      if (keep !== undefined) reply.keepOnly(keep);
      for (const name of remove) reply.remove(name);
      for (const { name, encoded } of values) {
        reply.remove(name);
        reply.push(encoded);
      }
      return reply.attributes === before ? "noop" : "updated";
    }
    return { postproxy: filter, postauth: filter, authorize: filter };
  },
});
