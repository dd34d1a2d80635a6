import { z } from "zod";
import type { Routes, Settings } from "./api-context.ts";
import { checkFields } from "./field-schema.ts";
import type { HttpDeps } from "./options.ts";
import { readParameters } from "./parameters.ts";
import { refusal } from "./problem.ts";

/** No path: whoever calls says under which name, hub.yaml says where. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const NAME_ERROR = "must be a file name of 1 to 100 letters, digits, dots, - or _, the first a letter or digit";

const backupFields = z.strictObject({ name: z.string(NAME_ERROR).regex(NAME, NAME_ERROR).optional() });

type BackupDeps = Pick<HttpDeps, "clock" | "log"> & { readonly backup: NonNullable<HttpDeps["backup"]> };

/** POST /v1/backup: a copy of the embedded store, in the folder that hub.yaml names, while everything goes on. */
export function backupRoutes({ clock, log, backup }: BackupDeps, settings: Settings): Routes {
  return {
    "/v1/backup": {
      POST: {
        role: "admin",
        answer: async (context) => {
          const { fields } = await readParameters(context.env.incoming, settings().bodyBytesMax);
          const { name = nameAt(clock.wallMs()) } = checkFields(backupFields, fields);
          const begun = clock.now();
          const done = await backup(name);
          if (done === undefined) throw refusal("not-found", "the store is a MongoDB: mongodump makes a backup of it");
          const { file, octets } = done;
          log.info({ file, octets, requestId: context.get("requestId") }, `backup of the store written: ${file}`);
          return context.json({ file, octets, duration_ms: Math.round(clock.now() - begun) });
        },
      },
    },
  };
}

/** "hub-20261122T100000Z.db" */
function nameAt(wallMs: number): string {
  return `hub-${new Date(wallMs).toISOString().replaceAll(/[-:]|\.\d+/g, "")}.db`;
}
