import { endianness } from "node:os";
import { describe, expect, it } from "vitest";
import { receiveDrops, receiveKey } from "../../../src/transport/receive-drops.ts";

const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops";
const rest = (drops: number) =>
  `07 00000000:00000000 00:00000000 00000000     0        0 959618 2 00000000925d8992 ${drops}`;
const TABLES: Readonly<Record<string, string>> = {
  "/proc/net/udp": [HEADING, `12400: 0100007F:0714 00000000:0000 ${rest(7)}`, ""].join("\n"),
  "/proc/net/udp6": [HEADING, `  1: B80D0120000000000000000001000000:0714 ${"0".repeat(32)}:0000 ${rest(3)}`, ""].join(
    "\n",
  ),
};

describe("receiveDrops()", () => {
  it.skipIf(endianness() === "BE")("finds the drops of a socket by its address and port, of either family", () => {
    const drops = receiveDrops((path) => TABLES[path] ?? "");
    expect(drops?.get(receiveKey("127.0.0.1", 1_812))).toBe(7);
    expect(drops?.get(receiveKey("2001:db8::1", 1_812))).toBe(3);
    expect(drops?.get(receiveKey("127.0.0.1", 1_813))).toBeUndefined();
  });

  it("knows nothing where the system tells nothing", () => {
    const missing = (): string => {
      throw new Error("ENOENT");
    };
    expect(receiveDrops(missing)).toBeUndefined();
  });
});
