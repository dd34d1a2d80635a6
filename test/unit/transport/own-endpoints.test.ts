import { networkInterfaces } from "node:os";
import { expect, it } from "vitest";
import { OwnEndpoints } from "../../../src/transport/own-endpoints.ts";

it("TLS-25 has() knows the addresses that a listener is reached at, and no other", () => {
  const own = new OwnEndpoints();
  own.add("192.0.2.1", 2083);
  own.add("::", 2084);
  const local = Object.values(networkInterfaces()).flatMap((entries) => entries?.map(({ address }) => address) ?? []);
  expect(own.has("192.0.2.1", 2083)).toBe(true);
  expect(own.has("::ffff:192.0.2.1", 2083)).toBe(true);
  expect(own.has("192.0.2.1", 2084)).toBe(false);
  expect(own.has("127.0.0.1", 2083)).toBe(false);
  expect(["127.0.0.1", "127.9.9.9", ...local].every((address) => own.has(address, 2084))).toBe(true);
});
