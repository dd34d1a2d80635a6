import { describe, expect, it } from "vitest";
import { configJsonSchema } from "../../../src/config/json-schema.ts";

describe("configJsonSchema()", () => {
  it("is what config/hub.schema.json holds (npm run schema writes it)", async () => {
    const text = `${JSON.stringify(configJsonSchema(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot("../../../config/hub.schema.json");
  });

  it("allows references and single items where loadConfig() does", () => {
    const schema = configJsonSchema() as never as {
      properties: { http: { properties: { port: unknown } }; log: { type: unknown } };
    };
    expect(schema.properties.http.properties.port).toMatchObject({
      default: 4000,
      anyOf: [{ type: "integer", minimum: 0, maximum: 65_535 }, { type: "string" }],
    });
    expect(schema.properties.log.type).toEqual(["object", "null"]);
  });
});
