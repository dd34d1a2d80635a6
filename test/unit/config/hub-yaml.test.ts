import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configJsonSchema } from "../../../src/config/json-schema.ts";
import { Dictionary } from "../../../src/radius/dictionary.ts";
import { configOf, FILES, load } from "./load.ts";

const SHIPPED = readFileSync(new URL("../../../config/hub.yaml", import.meta.url), "utf8");
/** The same with every commented-out key in force: "#key: value" is one, "# Prose" is not. */
const COMPLETE = SHIPPED.replaceAll(/^(\s*)#(?=\S| {2})/gm, "$1");

const DICTIONARY = Dictionary.load(new URL("../../../config/dictionaries", import.meta.url).pathname);
const ENV = {
  EDGE_SECRET: "the secret of the edge",
  EDGE_7_SECRET: "the secret of edge-7 over UDP",
  SHOP_7_PSK: "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
  AAA_4_PSK: "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100",
  LEGACY_SECRET: "the secret of the old ones",
  BILLING_SECRET: "the secret of billing",
  BILLING_TOKEN: "token-of-the-billing-system",
  RADIUS_CHECK_TOKEN: "token-of-the-radius-check",
  DJANGO_FREERADIUS_API_TOKEN: "165f9a790787fc38e5cc12c1640db2300648d9a2",
  OPENWISP_RADIUS_TOKEN: "165f9a790787fc38e5cc12c1640db2300648d9a3",
  WEBHOOK_SECRET: "the secret of the webhooks",
  AAA_SECRET: "the secret of the AAA server",
};
const COMPLETE_FILES = {
  "/etc/radsec-hub/hub.pem": FILES["hub.pem"] as string,
  "/etc/radsec-hub/hub.key": FILES["hub.key"] as string,
  "/etc/radsec-hub/routers-ca.pem": FILES["ca.pem"] as string,
  "/etc/radsec-hub/routers-ca.crl": FILES["ca.crl"] as string,
  "/etc/radsec-hub/aaa-ca.pem": FILES["ca.pem"] as string,
  "/run/secrets/noc-password": "a password that is long\n",
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly default?: unknown;
}

interface Key {
  readonly path: string;
  /** What the file sets it to, at all places where it stands. */
  readonly values: readonly unknown[];
  readonly preset: unknown;
}

/** Every key of the schema with the values that it has in a document. */
function* keysOf(schema: Schema, values: readonly unknown[], path: string): Generator<Key> {
  // One item may stand for a list of one.
  for (const alternative of schema.anyOf ?? []) yield* keysOf(alternative, values.flat(), path);
  if (schema.items !== undefined) yield* keysOf(schema.items, values.flat(), path);
  if (path.endsWith(".match") && path.includes("select")) return; // its keys stand in the prose, see below
  for (const [key, inner] of Object.entries(schema.properties ?? {})) {
    const found = values
      .filter((value) => typeof value === "object" && value !== null && key in value)
      .map((value) => (value as Record<string, unknown>)[key]);
    yield { path: `${path}.${key}`, values: found, preset: inner.default };
    yield* keysOf(inner, found, `${path}.${key}`);
  }
}

const KEYS = [...keysOf(configJsonSchema() as Schema, [parse(COMPLETE)], "")];
/** Keys of lists and maps whose default is empty stand there with an example. */
const WITH_DEFAULT = KEYS.filter(({ preset }) => preset !== undefined && JSON.stringify(preset).length > 2);

describe("config/hub.yaml", () => {
  it("loads as shipped, without problem or warning", () => {
    expect(load(SHIPPED, {}, {})).toMatchObject({ ok: true, warnings: [] });
  });

  it("admits the development CA, in an entry that says so, and nobody else", () => {
    expect(configOf(SHIPPED).clients.map(({ name, match }) => ({ name, match }))).toEqual([
      { name: "development", match: { issuer: "CN=radsec-hub development CA", admitEvery: true } },
    ]);
    expect(SHIPPED).toContain("# ADMITS EVERY router with a certificate of the development CA");
  });

  it("changes no default apart from who may connect", () => {
    const { clients: _, ...shipped } = configOf(SHIPPED);
    const { clients: __, ...embedded } = configOf("");
    expect(shipped).toEqual(embedded);
  });

  it("loads with every commented-out key in force", () => {
    expect(load(COMPLETE, ENV, COMPLETE_FILES, { dictionary: DICTIONARY })).toMatchObject({ ok: true, warnings: [] });
  });

  it.each([
    ["as shipped", SHIPPED],
    ["complete", COMPLETE],
  ])("is what config/hub.schema.json tells editors to expect: %s", (_, yaml) => {
    expect(z.fromJSONSchema(configJsonSchema()).safeParse(parse(yaml)).error).toBeUndefined();
  });

  it("walks the whole schema", () => {
    expect(KEYS.length).toBeGreaterThan(80);
    expect(WITH_DEFAULT.length).toBeGreaterThan(40);
  });

  it.each(KEYS)("documents $path", ({ values }) => {
    expect(values.length).toBeGreaterThan(0);
  });

  it.each(WITH_DEFAULT.filter(({ path }) => path !== ".radsec"))("shows the default of $path", ({ values, preset }) => {
    expect(values).toContainEqual(preset);
  });

  it.each(["nasIdentifier", "nasIpAddress", "nasIpv6Address", "server", "linkId", "peerAddress", "cert.subject.cn"])(
    "documents the match key %s",
    (key) => {
      expect(SHIPPED).toMatch(new RegExp(`[# ]${key.replaceAll(".", "\\.")}[ ,]`));
    },
  );
});
