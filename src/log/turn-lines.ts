/** pino sets `lastLevel` of a destination that has this. */
const METADATA = Symbol.for("pino.metadata");
const WARN = 40;
/** What a burst of lines may hold in memory: then they are written within the turn. */
const LINES_MAX = 256;

/** Gathers the lines of one turn of the event loop, so that a busy hub writes once a turn and not once a line. A warning is
 *  written at once, with all that came before it. */
export class TurnLines {
  readonly [METADATA] = true;
  /** Level of the line that is being written, set by pino. */
  lastLevel = 0;
  readonly #write: (lines: string) => void;
  #lines: string[] = [];
  #scheduled = false;

  /** @param write writes synchronously */
  constructor(write: (lines: string) => void) {
    this.#write = write;
  }

  write(line: string): void {
    this.#lines.push(line);
    if (this.lastLevel >= WARN || this.#lines.length >= LINES_MAX) return this.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
    });
  }

  /** Writes what waits. @param done called when it is written, as pino's Logger.flush() wants it */
  flush(done?: () => void): void {
    const lines = this.#lines.join("");
    this.#lines = [];
    if (lines !== "") this.#write(lines);
    done?.();
  }
}
