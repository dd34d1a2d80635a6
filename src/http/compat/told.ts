import type { Fields } from "../parameters.ts";
import type { AccountingFields } from "./accounting-fields.ts";

/** What RADIUS has no place for, or the session index none: kept as it was told. */
export interface Told extends Partial<Readonly<Record<ToldText, string | undefined>>> {
  readonly api: string;
  /** UUID, of openwisp-radius. */
  readonly organization?: string | undefined;
  readonly unique_id: string;
  readonly interval?: number | undefined;
  /** As the API gave it, also where the accounting does not believe it. */
  readonly startMs?: number | undefined;
  /** A record after the Start has come. */
  readonly updated?: true | undefined;
  /** Fields that were told as "", which a list shows otherwise than those that nobody told. */
  readonly blank?: readonly string[] | undefined;
}

const TOLD_TEXTS = [
  "groupname",
  "realm",
  "nas_port_type",
  "authentication",
  "connection_info_start",
  "connection_info_stop",
  "terminate_cause",
  "service_type",
  "framed_protocol",
] as const;
type ToldText = (typeof TOLD_TEXTS)[number];

/** Those that are shown as text, wherever they are kept. */
const TEXTS = [...TOLD_TEXTS, "username", "nas_port_id", "called_station_id", "calling_station_id"] as const;

/** JSON text of the same fields in the same order: an interim that tells nothing new changes nothing in the store. A field that this
 *  record does not have stays as it was before.
 *  @param sent the fields before they were checked: what is "" is there */
export function toldText(
  fields: AccountingFields,
  sent: Fields,
  more: Pick<Told, "api" | "organization" | "groupname">,
  before: Told | undefined,
): string {
  const texts = TOLD_TEXTS.map((name) => [
    name,
    fields[name] ?? (Object.hasOwn(sent, name) ? undefined : before?.[name]),
  ]);
  const blank = TEXTS.filter((name) =>
    Object.hasOwn(sent, name) ? sent[name] === "" : before?.blank?.includes(name) === true,
  );
  const told: Told = {
    ...(Object.fromEntries(texts) as Partial<Record<ToldText, string>>),
    ...more,
    unique_id: fields.unique_id,
    interval: fields.interval ?? before?.interval,
    startMs: fields.start_time ?? before?.startMs,
    updated: fields.status_type === "Start" ? before?.updated : true,
    blank: blank.length === 0 ? undefined : blank,
  };
  return JSON.stringify(told);
}

/** What of toldText() is there; undefined for an acct session that came otherwise. */
export function toldOf(text: string | undefined): Told | undefined {
  return text === undefined ? undefined : (JSON.parse(text) as Told);
}
