import type { KeyPath } from "./config/problem.ts";
import { HubError } from "./errors.ts";

/** Listeners that can not have their address. All of them are tried before the hub gives up, so that the operator hears of each
 *  at once and with its key. */
export class ListenFaults {
  readonly #faults: HubError[] = [];

  /** @param path of the key in hub.yaml that names the port
   *  @returns undefined after a fault
   *  @throws whatever is no ERR_LISTEN */
  async attempt<Bound>(path: KeyPath, listen: () => Promise<Bound>): Promise<Bound | undefined> {
    try {
      return await listen();
    } catch (error) {
      if (!(error instanceof HubError) || error.code !== "ERR_LISTEN") throw error;
      this.#faults.push(new HubError(error.code, error.message, { ...error.details, path }, { cause: error }));
      return undefined;
    }
  }

  /** @throws {HubError} ERR_LISTEN, the first; the others are its details.others */
  throwAny(): void {
    const [first, ...others] = this.#faults;
    if (first === undefined) return;
    throw new HubError(first.code, first.message, { ...first.details, others }, { cause: first });
  }
}
