import { z } from "zod";
import { type AttributeList, defineModule, type ReturnCode } from "../pipeline/types.ts";
import { unknownNames, wrongValues } from "./attribute-mistakes.ts";

const names = z.array(z.string().min(1));

const settings = z.strictObject({
  remove: names.default([]).meta({ description: "Attributes that are taken out." }),
  keep: names.optional().meta({ description: "The only ones that stay; without it, all." }),
  set: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .meta({ description: "Attributes that it has with exactly this value." }),
});

/** Decides what of a reply goes to the NAS: after a proxied answer, or in any other section; in preproxy, what of a request is passed
 *  on. */
export const attrFilter = defineModule({
  name: "attr-filter",
  settings,
  mistakes: ({ remove, keep = [], set }, { dictionary }) => [
    ...unknownNames(["remove"], remove, dictionary),
    ...unknownNames(["keep"], keep, dictionary),
    ...wrongValues(["set"], set, dictionary),
  ],
  components: () => ["preproxy", "postproxy", "postauth", "authorize"],
  instantiate({ remove, keep, set }, { dictionary }) {
    const values = Object.entries(set).map(([name, value]) => ({ name, encoded: dictionary.encode(name, value) }));

    function filter(list: AttributeList): ReturnCode {
      const before = list.attributes;
      if (keep !== undefined) list.keepOnly(keep);
      for (const name of remove) list.remove(name);
      for (const { name, encoded } of values) {
        list.remove(name);
        list.push(encoded);
      }
      return list.attributes === before ? "noop" : "updated";
    }
    return {
      preproxy: ({ onward }) => filter(onward),
      postproxy: ({ reply }) => filter(reply),
      postauth: ({ reply }) => filter(reply),
      authorize: ({ reply }) => filter(reply),
    };
  },
});
