import { z } from "zod";
import type { Binding } from "../registry/types.ts";
import type { Routes } from "./api-context.ts";
import { checkFields, textField, wholeField } from "./field-schema.ts";
import { nasName, parseNasName } from "../registry/nas-name.ts";
import type { HttpDeps } from "./options.ts";
import { PAGE_SIZE_MAX, pageOf } from "./page.ts";
import { readQuery } from "./parameters.ts";
import { refusal } from "./problem.ts";

const bindingQuery = z.strictObject({
  limit: wholeField(1, PAGE_SIZE_MAX).optional(),
  cursor: textField.optional(),
});

/** GET /v1/bindings, GET and DELETE /v1/bindings/{key}, where the key is the NAS-Identifier as nasName() shows it. */
export function bindingRoutes({ registry }: Pick<HttpDeps, "registry">): Routes {
  return {
    "/v1/bindings": {
      GET: {
        role: "monitor",
        answer: (context) => {
          const query = checkFields(bindingQuery, readQuery(context.env.incoming));
          const { items, next } = pageOf(registry.bindings(), orderOf, {
            cursor: query.cursor,
            limit: query.limit,
          });
          return context.json({ bindings: items.map(bindingJson), next_cursor: next });
        },
      },
    },
    "/v1/bindings/:key": {
      GET: {
        role: "monitor",
        answer: (context) => {
          const key = context.req.param("key") ?? "";
          const binding = registry.binding(parseNasName(key));
          if (binding === undefined) throw notBound(key);
          return context.json(bindingJson(binding));
        },
      },
      DELETE: {
        role: "operator",
        answer: (context) => {
          const key = context.req.param("key") ?? "";
          if (!registry.release(parseNasName(key))) throw notBound(key);
          return context.body(null, 204);
        },
      },
    },
  };
}

/** A shared name is bound once for each peer that holds it. */
function orderOf({ nasIdentifier, peerKey }: Binding): string {
  return `${nasIdentifier}\u0000${peerKey}`;
}

function bindingJson(binding: Binding) {
  const { lapsesAtMs } = binding;
  return {
    nas_identifier: nasName(binding.nasIdentifier),
    peer: binding.peerLabel,
    peer_key: binding.peerKey,
    client: binding.client,
    bound_at: new Date(binding.boundAtMs).toISOString(),
    link_ids: binding.linkIds,
    lapses_at: lapsesAtMs === undefined ? null : new Date(lapsesAtMs).toISOString(),
    refused: binding.refused.map(({ peerLabel, peerKey, atMs }) => ({
      peer: peerLabel,
      peer_key: peerKey,
      at: new Date(atMs).toISOString(),
    })),
  };
}

function notBound(key: string): Error {
  return refusal("not-found", "no peer holds that NAS-Identifier", { nas_identifier: key });
}
