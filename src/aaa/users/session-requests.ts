import { ERROR_CAUSE } from "../../dynauth/error-cause.ts";
import type { Dynauth } from "../../dynauth/dynauth.ts";
import type { Outcome } from "../../dynauth/outcome.ts";
import { HubError } from "../../errors.ts";
import { ATTRIBUTE, type Attribute, attribute } from "../../radius/attribute.ts";
import { CODE } from "../../radius/codes.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import { textOctets } from "../../store/octet-text.ts";
import type { SessionChange } from "../plans/plan-attributes.ts";

/** What became of telling a router: "again" is worth another try, "away" too, once the router is back; "gone" is an acct session
 *  that its router does not know. */
export type Told = "done" | "gone" | "again" | "away" | "given-up";

type Answer = Outcome | "refused" | "later";

/** Tells the router of one acct session. A CoA that the router refuses becomes a Disconnect: with the next login the user gets what
 *  it is to have. */
export async function tellRouter(
  dynauth: Pick<Dynauth, "exchange">,
  acctSession: AcctSession,
  change: SessionChange,
): Promise<Told> {
  if (change.kind === "coa" && change.attributes.length > 0) {
    const told = verdictOf(await ask(dynauth, CODE.coaRequest, acctSession, change.attributes));
    if (told !== "refused") return told;
  }
  const told = verdictOf(await ask(dynauth, CODE.disconnectRequest, acctSession, []));
  return told === "refused" ? "again" : told;
}

async function ask(
  dynauth: Pick<Dynauth, "exchange">,
  code: number,
  { key, username, acctSessionId }: AcctSession,
  attributes: readonly Attribute[],
): Promise<Answer> {
  const named = [attribute(ATTRIBUTE.acctSessionId, textOctets(acctSessionId)), ...attributes];
  if (username !== undefined) named.unshift(attribute(ATTRIBUTE.userName, textOctets(username)));
  try {
    const request = { code, target: {}, acctSessionKey: key, attributes: named, trigger: "users" };
    const [outcome] = await dynauth.exchange(request);
    return outcome ?? "refused";
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    return error.code === "ERR_STORE" || error.code === "ERR_STOPPED" ? "later" : "refused";
  }
}

function verdictOf(answer: Answer): Told | "refused" {
  if (answer === "later") return "again";
  if (answer === "refused") return "refused";
  switch (answer.kind) {
    case "ack":
      return "done";
    case "nak":
      return answer.errorCause === ERROR_CAUSE.sessionContextNotFound ? "gone" : "refused";
    case "timeout":
    case "busy":
      return "again";
    case "closed":
      return "away";
    case "no-route":
      if (answer.why === "no-session") return "done";
      return answer.why === "not-permitted" ? "given-up" : "away";
  }
}
