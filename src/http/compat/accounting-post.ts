import type { IncomingMessage } from "node:http";
import type { Fields } from "../parameters.ts";
import {
  accountingAttributes,
  accountingFields,
  type AccountingFields,
  statusTypeField,
  toldText,
} from "./accounting-fields.ts";
import { type Answer, badRequest, empty, unavailable } from "./answers.ts";
import type { CompatDeps } from "./deps.ts";
import { checkedFields } from "./fields.ts";

/** Who speaks. */
export interface AccountingCaller {
  readonly api: string;
  /** UUID; undefined: an API without organizations. */
  readonly organization?: string | undefined;
  readonly incoming: Pick<IncomingMessage, "socket">;
  /** Whether the acct session belongs to somebody else: then its record is passed over with 200, as the original does.
   *  Undefined: there is nobody else. */
  readonly isOthers?: ((fields: AccountingFields) => Promise<boolean>) | undefined;
  /** What Accounting-On and -Off do. */
  readonly nasRestarted: (fields: Fields, isOn: boolean) => Promise<void>;
}

/** POST accounting/: 201 with the first record of an acct session, 200 with the others; no body, so that rlm_rest has nothing to
 *  read. The answer leaves once the record is stored durably (invariant 6).
 *  @throws {HubError} ERR_STORE */
export async function accountingPosted(fields: Fields, caller: AccountingCaller, deps: CompatDeps): Promise<Answer> {
  if (!Object.hasOwn(fields, "status_type")) return badRequest({ status_type: ["This field is required."] });
  const status = statusTypeField.safeParse(fields["status_type"]);
  if (!status.success) return badRequest({ status_type: status.error.issues.map(({ message }) => message) });
  if (status.data === "Accounting-On" || status.data === "Accounting-Off") {
    await caller.nasRestarted(fields, status.data === "Accounting-On");
    return empty(200);
  }
  const checked = checkedFields(accountingFields, fields);
  if (!checked.ok) return badRequest(checked.errors);
  const { values } = checked;
  const { api, organization, incoming } = caller;
  if ((await caller.isOthers?.(values)) === true) return empty(200);
  const groupname = values.groupname ?? (await groupOf(values, deps));
  const verdict = await deps.requests.account({
    origin: {
      api,
      address: incoming.socket.remoteAddress ?? "",
      calledStationId: values.called_station_id,
      nasIdentifier: values.nas_identifier,
      nasAddress: values.nas_ip_address,
    },
    attributes: accountingAttributes(values, status.data, deps.dictionary),
    told: toldText(values, { api, organization, groupname }),
  });
  if (verdict.kind === "stored") return empty(verdict.isNew ? 201 : 200);
  return unavailable("the record can not be stored now");
}

/** The group that the user's plan names, or the plan itself. */
async function groupOf({ username }: AccountingFields, { accounts }: CompatDeps): Promise<string | undefined> {
  if (username === undefined) return undefined;
  const known = await accounts.directory.find(username);
  return known?.values.group ?? known?.user.plan;
}
