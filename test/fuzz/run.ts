import { randomInt } from "node:crypto";
import { fuzzCodec } from "./codec-fuzz.ts";

// npm run fuzz -- [seconds] [seed]
const seconds = Number(process.argv[2] ?? 30);
const seed = Number(process.argv[3] ?? randomInt(2 ** 32 - 1));
if (!(seconds > 0) || !Number.isSafeInteger(seed)) throw new TypeError("npm run fuzz -- [seconds] [seed]");

console.log(`src/radius: a packet or a HubError, in bounded time and memory; ${seconds} s, seed ${seed}`);
const endAtMs = performance.now() + seconds * 1000;
const heapBeforeBytes = process.memoryUsage().heapUsed;
const report = fuzzCodec({ seed, goOn: () => performance.now() < endAtMs });
console.log({ ...report, heapGrownBytes: process.memoryUsage().heapUsed - heapBeforeBytes });
