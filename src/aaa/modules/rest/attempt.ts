import type { Dispatcher } from "undici";
import type { BackEndResult } from "../../pipeline/back-ends.ts";
import type { Patience } from "./patience.ts";
import type { Rendered } from "./rendering.ts";
import { faultOf } from "./transport-faults.ts";

export interface HttpAnswer {
  readonly kind: "answer";
  readonly status: number;
  readonly contentType: string | undefined;
  readonly body: Buffer;
}

/** An attempt that brought no answer. */
export interface FailedAttempt {
  readonly kind: "down";
  readonly why: BackEndResult;
  /** Whether the request may have reached the back end. */
  readonly sent: boolean;
  /** "ECONNREFUSED" and the like, for the log. */
  readonly code: string;
}

/** Of a body that nobody needs: what comes beyond it costs the connection. */
const DROPPED_BODY_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);

/** Asks once. Never rejects.
 *  @param readsBody whether the body of an answer is wanted; one that is not changes nothing, however it ends */
export function attempt(
  pool: Pick<Dispatcher, "dispatch">,
  { method, path, headers, body = "" }: Rendered,
  readsBody: (status: number) => boolean,
  patience: Patience,
): Promise<HttpAnswer | FailedAttempt> {
  return new Promise((resolve) => {
    const call = new Attempt(readsBody, patience, resolve);
    pool.dispatch({ method, path, headers, body: body === "" ? null : body }, call);
  });
}

/** What undici tells of one request. Its request() makes a stream of each answer, and a signal of each limit: more than half of what a
 *  question cost.
 *
 *  waiting --onRequestStart()--> sent --onResponseStart()--> answered --onResponseEnd()--> settled; from each, an error or the end of
 *  patience leads to settled, and what comes after that comes for nobody. */
class Attempt implements Dispatcher.DispatchHandler {
  readonly #readsBody: (status: number) => boolean;
  readonly #patience: Patience;
  #settle: ((outcome: HttpAnswer | FailedAttempt) => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #contentType: string | undefined;
  #wanted = true;
  #droppedBytes = 0;
  #body: Buffer[] | undefined;

  constructor(
    readsBody: (status: number) => boolean,
    patience: Patience,
    settle: (outcome: HttpAnswer | FailedAttempt) => void,
  ) {
    this.#readsBody = readsBody;
    this.#patience = patience;
    this.#settle = settle;
    patience.whenOver((why) => this.#fail({ why, sent: true, code: "" }));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#settle === undefined) controller.abort(GIVEN_UP);
  }

  onResponseStart(_: unknown, status: number, headers: Readonly<Record<string, string | string[] | undefined>>): void {
    if (status < 200) return; // the answer is still to come
    this.#status = status;
    this.#wanted = this.#readsBody(status);
    const type = headers["content-type"];
    this.#contentType = Array.isArray(type) ? type[0] : type;
  }

  onResponseData(_: unknown, chunk: Buffer): void {
    if (this.#wanted) (this.#body ??= []).push(chunk);
    else if ((this.#droppedBytes += chunk.length) > DROPPED_BODY_BYTES) this.#answered();
  }

  onResponseEnd(): void {
    this.#controller = undefined;
    this.#answered();
  }

  onResponseError(_: unknown, error: Error): void {
    this.#controller = undefined;
    this.#fail(faultOf(error));
  }

  #fail(fault: Omit<FailedAttempt, "kind">): void {
    if (this.#status > 0 && !this.#wanted) this.#answered();
    else this.#end({ kind: "down", ...fault });
  }

  #answered(): void {
    const [first = NOTHING, ...more] = this.#body ?? [];
    const body = more.length === 0 ? first : Buffer.concat([first, ...more]);
    this.#end({ kind: "answer", status: this.#status, contentType: this.#contentType, body });
  }

  #end(outcome: HttpAnswer | FailedAttempt): void {
    const settle = this.#settle;
    if (settle === undefined) return;
    this.#settle = undefined;
    this.#body = undefined;
    this.#patience.whenOver(undefined);
    this.#controller?.abort(GIVEN_UP);
    settle(outcome);
  }
}

/** One for all: an error of its own costs a stack trace each. */
const GIVEN_UP = new Error("given up");
