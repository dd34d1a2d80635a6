import { z } from "zod";
import type { LinkRecord } from "../registry/types.ts";
import { peerLabel } from "../transport/peer.ts";
import type { ApiContext, Routes } from "./api-context.ts";
import { addressField, checkFields, textField, wholeField } from "./field-schema.ts";
import { linkJson } from "./link-json.ts";
import { parseNasName } from "../registry/nas-name.ts";
import type { HttpDeps, RegistryView } from "./options.ts";
import { attributesJson } from "./outcome-json.ts";
import { PAGE_SIZE_MAX, pageOf } from "./page.ts";
import { readQuery } from "./parameters.ts";
import { refusal } from "./problem.ts";

const paging = { limit: wholeField(1, PAGE_SIZE_MAX).optional(), cursor: textField.optional() };

const linkQuery = z.strictObject({
  nas_identifier: textField.optional(),
  peer: textField.optional(),
  client: textField.optional(),
  listener: textField.optional(),
  address: addressField.optional(),
  ...paging,
});
type LinkQuery = z.output<typeof linkQuery>;

/** GET /v1/links, GET and DELETE /v1/links/{linkId}. */
export function linkRoutes({
  registry,
  dictionary,
  closeLink,
}: Pick<HttpDeps, "registry" | "dictionary" | "closeLink">): Routes {
  return {
    "/v1/links": {
      GET: {
        role: "monitor",
        answer: (context) => {
          const query = checkFields(linkQuery, readQuery(context.env.incoming));
          const { items, next } = pageOf(selected(registry, query), orderOf, {
            cursor: query.cursor,
            limit: query.limit,
          });
          return context.json({ links: items.map(linkJson), next_cursor: next });
        },
      },
    },
    "/v1/links/:linkId": {
      GET: {
        role: "monitor",
        answer: (context) => {
          const record = registry.record(linkIdOf(context));
          if (record === undefined) throw noLink(context);
          const status = attributesJson(record.statusAttributes, dictionary);
          return context.json({ ...linkJson(record), status_attributes: status });
        },
      },
      DELETE: {
        role: "operator",
        answer: (context) => {
          if (!closeLink(linkIdOf(context))) throw noLink(context);
          return context.body(null, 204);
        },
      },
    },
  };
}

/** The oldest link first: the time in front, of fixed width, makes text order the order of time. */
function orderOf({ link }: LinkRecord): string {
  return `${String(Math.floor(link.connectedAtMs)).padStart(15, "0")} ${link.linkId}`;
}

function* selected(registry: RegistryView, query: LinkQuery): Generator<LinkRecord> {
  const name = query.nas_identifier === undefined ? undefined : parseNasName(query.nas_identifier);
  for (const record of name === undefined ? registry.records() : registry.byNasIdentifier(name)) {
    const { link } = record;
    if (query.listener !== undefined && link.listener !== query.listener) continue;
    if (query.client !== undefined && link.client.name !== query.client) continue;
    if (query.address !== undefined && link.address !== query.address) continue;
    if (query.peer !== undefined && link.peerKey !== query.peer && peerLabel(link.peer) !== query.peer) continue;
    yield record;
  }
}

function linkIdOf(context: ApiContext): string {
  return context.req.param("linkId") ?? "";
}

function noLink(context: ApiContext): Error {
  return refusal("not-found", "there is no such link now", { link_id: linkIdOf(context) });
}
