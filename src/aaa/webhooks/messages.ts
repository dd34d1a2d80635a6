import type { HubEvent } from "../../events.ts";
import type { AcctSession } from "../../store/acct-session.ts";
import type { RecordEffect } from "../../store/acct-session.ts";
import type { WebhookTopic } from "./options.ts";

/** What a webhook tells, before it is addressed: plain JSON values. */
export interface Told {
  readonly topic: WebhookTopic;
  readonly atMs: number;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Which webhook an accounting record is; undefined: none, it told nothing new. */
export function topicOf(effect: RecordEffect): WebhookTopic | undefined {
  switch (effect) {
    case "created":
    case "new-generation":
    case "reopened":
      return "session.started";
    case "updated":
      return "session.updated";
    case "closed":
      return "session.ended";
    case "duplicate":
    case "ignored":
    case "nas":
      return undefined;
  }
}

/** An acct session as receivers see it. The names are API. */
export function sessionData(acctSession: AcctSession): Record<string, unknown> {
  const { facts } = acctSession;
  return {
    key: acctSession.key,
    session_id: acctSession.acctSessionId,
    username: acctSession.username,
    nas_identifier: facts.nasIdentifier,
    nas_address: facts.nasAddress,
    calling_station_id: facts.callingStationId,
    called_station_id: facts.calledStationId,
    framed_ip: facts.framedIp,
    framed_ipv6_address: facts.framedIpv6Address,
    framed_ipv6_prefix: facts.framedIpv6Prefix,
    delegated_ipv6_prefix: facts.delegatedIpv6Prefix,
    open: acctSession.open,
    started_at: isoTime(acctSession.startedAtMs),
    updated_at: isoTime(acctSession.countedAtMs),
    ended_at: isoTime(acctSession.closedAtMs),
    close_cause: acctSession.closeCause,
    terminate_cause: acctSession.terminateCause,
    upload_octets: acctSession.uploadOctets,
    download_octets: acctSession.downloadOctets,
    session_seconds: acctSession.sessionSeconds,
  };
}

/** An event of the hub as receivers see it; undefined for one that no webhook tells of. */
export function toldOf(event: HubEvent): Told | undefined {
  const { atMs } = event;
  switch (event.type) {
    case "quota.reached": {
      const { type, username, rule, threshold, used, amount } = event;
      if (!event.notify) return undefined;
      return { topic: type, atMs, data: { username, rule, threshold, period: event.periodKey, used, amount } };
    }
    case "quota.acted": {
      const { type, username, rule, threshold, action, nas, outcome, next, attempts, used, amount, overshoot } = event;
      const what = { username, rule, threshold, period: event.periodKey, action, session: event.acctSessionKey, nas };
      const how = { outcome, error_cause: event.errorCause, next, attempts, used, amount, overshoot };
      return { topic: type, atMs, data: { ...what, ...how } };
    }
    case "exchange.ended": {
      const { type, code, trigger, outcome, why, nas, attempts } = event;
      const ids = { exchange_id: event.exchangeId, request_id: event.requestId, link_id: event.linkId };
      const reply = { reply_code: event.replyCode, error_cause: event.errorCause, duration_ms: event.durationMs };
      return { topic: type, atMs, data: { ...ids, code, trigger, nas, outcome, why, attempts, ...reply } };
    }
    case "heartbeat.failed":
    case "heartbeat.recovered":
      return { topic: event.type, atMs, data: { detail: event.detail } };
    default:
      return undefined;
  }
}

export function isoTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : new Date(atMs).toISOString();
}
