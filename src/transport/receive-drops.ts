import { readFileSync } from "node:fs";
import { endianness } from "node:os";
import ipaddr from "ipaddr.js";

/** Linux has one line for each UDP socket there. */
const TABLES = ["/proc/net/udp", "/proc/net/udp6"];
const LOCAL_ADDRESS = 1;
const DROPS = 12;

/** Datagrams that the kernel threw away since each socket was opened, most often because its receive buffer was full: by
 *  "address:port" in hexadecimal, as receiveKey() writes it. Undefined where the system does not tell. */
export function receiveDrops(read: (path: string) => string = (path) => readFileSync(path, "latin1")): ReceiveDrops {
  const drops = new Map<string, number>();
  for (const table of TABLES) {
    for (const line of linesOf(table, read)) {
      const fields = line.trim().split(/\s+/);
      const count = Number(fields[DROPS]);
      if (Number.isSafeInteger(count)) drops.set(fields[LOCAL_ADDRESS] as string, count);
    }
  }
  return drops.size === 0 ? undefined : drops;
}

export type ReceiveDrops = ReadonlyMap<string, number> | undefined;

/** How the kernel writes a local address and port: each 32 bits of the address as one number of this machine. */
export function receiveKey(address: string, port: number): string {
  const octets = Buffer.from(ipaddr.parse(address).toByteArray());
  if (endianness() === "LE") octets.swap32();
  return `${octets.toString("hex")}:${port.toString(16).padStart(4, "0")}`.toUpperCase();
}

/** Without the heading; none where there is no such file. */
function linesOf(path: string, read: (path: string) => string): readonly string[] {
  try {
    return read(path).trimEnd().split("\n").slice(1);
  } catch {
    return [];
  }
}
