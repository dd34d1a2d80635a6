import { writeSync } from "node:fs";
import { type Debugger, Session } from "node:inspector";
import { workerData } from "node:worker_threads";
import type { StallWorkerData } from "./stall-watch.ts";

const { beats: shared, folder, lookMs, looks } = workerData as StallWorkerData;
const beats = new Int32Array(shared);
const FRAMES_MAX = 3;
/** A place that the debugger can not stop at, such as a regular expression at work. */
const PLACE_WITHIN_MS = 10_000;
const STDERR = 2;

let last = 0;
let without = 0;

// Counted in looks, not in time: when the whole process was stopped, nothing stood still.
setInterval(() => {
  const now = Atomics.load(beats, 0);
  without = now === last ? without + 1 : 0;
  last = now;
  if (without === looks) tellPlace();
}, lookMs);

/** Stops the main thread for the moment that it takes to read where it is. */
function tellPlace(): void {
  const session = new Session();
  const urls = new Map<string, string>();
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    say("at a place that can not be seen");
  }, PLACE_WITHIN_MS);
  session.connectToMainThread();
  session.on("Debugger.scriptParsed", ({ params }) => void urls.set(params.scriptId, params.url));
  session.on("Debugger.paused", ({ params }) => {
    clearTimeout(late);
    try {
      // Later it is wherever the hub has gone on.
      if (!isLate && Atomics.load(beats, 0) === last) say(placeOf(params.callFrames, urls));
    } finally {
      session.post("Debugger.resume");
      session.post("Debugger.disable", () => session.disconnect());
    }
  });
  session.post("Debugger.enable", () => session.post("Debugger.pause"));
}

/** The innermost function of an operator's module, or else of the hub. */
function placeOf(frames: readonly Debugger.CallFrame[], urls: ReadonlyMap<string, string>): string {
  const places = frames.map(({ functionName, location: { scriptId, lineNumber } }) => ({
    url: urls.get(scriptId) ?? "",
    text: `${functionName || "a function"} (${urls.get(scriptId)?.replace(/\?.*$/, "")}:${lineNumber + 1})`,
  }));
  const own = places.find(({ url }) => url.startsWith(folder));
  if (own !== undefined) return `in a module of yours: ${own.text}`;
  return `in ${places
    .slice(0, FRAMES_MAX)
    .map(({ text }) => text)
    .join(", called by ")}`;
}

/** The log is written by the thread that stands still. */
function say(where: string): void {
  writeSync(STDERR, `the hub stands still for ${(lookMs * looks) / 1_000} s ${where}\n`);
}
