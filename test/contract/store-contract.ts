import { describe } from "vitest";
import type { Store } from "../../src/store/types.ts";
import { accountingContract } from "./store-accounting.ts";
import { apiRecordContract } from "./store-api-records.ts";
import { auditContract } from "./store-audit.ts";
import { bindingContract } from "./store-bindings.ts";
import { exactnessContract } from "./store-exactness.ts";
import { indexContract } from "./store-index.ts";
import { lifeContract } from "./store-life.ts";
import { outboxContract } from "./store-outbox.ts";
import { quotaContract } from "./store-quota.ts";
import { userContract } from "./store-users.ts";

/** One place that holds data: stores that are opened on it see the same. It is empty at first. */
export interface StorePlace {
  /** A store on this place, up. Whoever opens it stops it. */
  open(): Promise<Store>;
  /** Room of the outbox of such a store: small, so that a test can fill it. */
  readonly outboxMax: number;
}

export interface ContractOptions {
  /** Histories of the property test: as many as the store plays in some seconds. */
  readonly histories: number;
}

/** What every store must do, whatever keeps the data. `place` makes a fresh place, and is called inside a test, so that
 *  onTestFinished() may clean up. */
export function storeContract(name: string, place: () => Promise<StorePlace>, options: ContractOptions): void {
  describe(`Store contract: ${name}`, () => {
    lifeContract(place);
    accountingContract(place);
    indexContract(place);
    quotaContract(place);
    outboxContract(place);
    auditContract(place);
    userContract(place);
    bindingContract(place);
    apiRecordContract(place);
    exactnessContract(place, options.histories);
  });
}
