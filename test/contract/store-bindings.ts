import { describe, expect, it } from "vitest";
import type { KeptBinding } from "../../src/registry/types.ts";
import type { StorePlace } from "./store-contract.ts";
import { allPages, freshStore, ODD_NAMES, opened } from "./store-place.ts";

function binding(nasIdentifier: string, changes: Partial<KeptBinding> = {}): KeptBinding {
  const client = "routers";
  return {
    nasIdentifier,
    peerKey: "a",
    peerLabel: "A",
    client,
    shared: false,
    boundAtMs: 1,
    seenAtMs: 100,
    ...changes,
  };
}

export function bindingContract(place: () => Promise<StorePlace>): void {
  describe("bindings", () => {
    it("are put, replaced by name and peer, listed in pages, removed, and there for the next store", async () => {
      const there = await place();
      const { bindings } = await opened(there);
      await bindings.put([binding("x"), binding("y"), binding("x", { peerKey: "b", shared: true })]);
      const changed = binding("x", { peerLabel: "A2", client: "edge", shared: true, boundAtMs: 2, seenAtMs: 2 ** 41 });
      await bindings.put([changed]);
      await bindings.put([]);
      const other = await opened(there);
      const listed = await allPages((after) => other.bindings.list({ limit: 2, after }));
      expect(listed).toHaveLength(3);
      expect(listed).toEqual(
        expect.arrayContaining([changed, binding("x", { peerKey: "b", shared: true }), binding("y")]),
      );
      await other.bindings.remove([
        { nasIdentifier: "x", peerKey: "b", seenUntilMs: undefined },
        { nasIdentifier: "y", peerKey: "b", seenUntilMs: undefined },
      ]);
      await other.bindings.remove([]);
      const left = (await bindings.list({ limit: 10 })).items.map(
        ({ nasIdentifier, peerKey }) => nasIdentifier + peerKey,
      );
      expect(left.sort()).toEqual(["xa", "ya"]);
    });

    it("stay where a removal is of an older sight of the peer: another hub has seen it since", async () => {
      const { bindings } = await freshStore(place);
      await bindings.put([binding("x"), binding("y")]);
      await bindings.remove([
        { nasIdentifier: "x", peerKey: "a", seenUntilMs: 99 },
        { nasIdentifier: "y", peerKey: "a", seenUntilMs: 100 },
      ]);
      expect((await bindings.list({ limit: 10 })).items).toEqual([binding("x")]);
    });

    it("IDX-05 keep odd names and peers apart, octet by octet", async () => {
      const { bindings } = await freshStore(place);
      const octets = [0x01, 0x22, 0x5c, 0x7f, 0x80, 0xc3, 0xff].map((octet) => String.fromCharCode(octet));
      const rows = [...ODD_NAMES, ...octets].flatMap((name) => [binding(name), binding(name, { peerKey: name })]);
      await bindings.put(rows);
      const listed = await allPages((after) => bindings.list({ limit: 100, after }));
      const keys = (all: readonly KeptBinding[]) =>
        new Set(all.map((each) => `${each.nasIdentifier}\n${each.peerKey}`));
      expect(keys(listed)).toEqual(keys(rows));
      expect(listed).toHaveLength(keys(rows).size);
      await bindings.remove(listed.map((each) => ({ ...each, seenUntilMs: undefined })));
      expect((await bindings.list({ limit: 1 })).items).toEqual([]);
    });
  });
}
