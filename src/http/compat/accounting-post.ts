import type { IncomingMessage } from "node:http";
import { apiNasKey } from "../../dynauth/api-nas.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { Fields } from "../parameters.ts";
import { accountingAttributes, accountingFields, type AccountingFields, statusTypeField } from "./accounting-fields.ts";
import { type Answer, badRequest, empty, unavailable } from "./answers.ts";
import type { CompatDeps } from "./deps.ts";
import { checkedFields } from "./fields.ts";
import { toldOf, toldText } from "./told.ts";

/** Who speaks. */
export interface AccountingCaller {
  readonly api: string;
  /** UUID; undefined: an API without organizations. */
  readonly organization?: string | undefined;
  readonly incoming: Pick<IncomingMessage, "socket">;
  /** An interim opens an acct session again, also after its Stop. */
  readonly reopens: boolean;
  /** What Accounting-On and -Off do. */
  readonly nasRestarted: (fields: Fields, isOn: boolean) => Promise<void>;
  /** A record is stored. */
  readonly stored?: (values: AccountingFields) => Promise<void>;
}

/** Generations under one unique_id that are looked at: a NAS that reboots may begin its numbers anew. */
const GENERATIONS_MAX = 100;

/** POST accounting/: 201 with the first record of a unique_id, 200 with the others; no body, so that rlm_rest has nothing to
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
  const { api, organization, incoming, reopens } = caller;
  const nasKey = apiNasKey(api, values.unique_id);
  const present = await latestOf(nasKey, deps);
  const before = toldOf(present?.facts.told);
  // Passed over, as the original does: it belongs to another organization.
  if (before !== undefined && before.organization !== organization) return empty(200);
  const groupname = values.groupname ?? (await groupOf(values, deps)) ?? before?.groupname;
  // Of what an acct session is closed with, nothing holds once it is open.
  const sent = reopens && status.data === "Interim-Update" ? { ...fields, terminate_cause: "" } : fields;
  const told = { ...values, ...(sent !== fields && { terminate_cause: undefined }) };
  const verdict = await deps.requests.account({
    origin: {
      api,
      address: incoming.socket.remoteAddress ?? "",
      calledStationId: values.called_station_id,
      nasIdentifier: values.nas_identifier,
      nasAddress: values.nas_ip_address,
    },
    attributes: accountingAttributes(values, status.data, deps.dictionary),
    told: toldText(told, sent, { api, organization, groupname }, before),
    nasKey,
    reopens,
    isKnown: present !== undefined,
  });
  if (verdict.kind !== "stored") return unavailable("the record can not be stored now");
  await caller.stored?.(values);
  return empty(verdict.isNew ? 201 : 200);
}

async function latestOf(nasKey: string, { acctSessions }: CompatDeps): Promise<AcctSession | undefined> {
  const { items } = await acctSessions.find({ nasKey }, { limit: GENERATIONS_MAX });
  return items.reduce<AcctSession | undefined>(
    (latest, each) => (latest === undefined || each.generation > latest.generation ? each : latest),
    undefined,
  );
}

/** The group that the user's plan names, or the plan itself. */
async function groupOf({ username }: AccountingFields, { accounts }: CompatDeps): Promise<string | undefined> {
  if (username === undefined) return undefined;
  const known = await accounts.directory.find(username);
  return known?.values.group ?? known?.user.plan;
}
