import { hash } from "node:crypto";
import { standingOf } from "../../aaa/users/standing.ts";
import type { ApiRecord, ApiRecordKind } from "../../store/api-record-types.ts";
import type { CompatDeps } from "./deps.ts";

/** 40 hexadecimal digits, as the originals have. */
const TOKEN_BYTES = 20;
const TOKEN = /^[0-9a-f]{40}$/;

export interface IssuedTokens {
  /** Good once as the password of the user. */
  readonly userToken: string;
  /** Who has it may ask for another user token. */
  readonly apiKey: string;
}

/** Makes both tokens of a user. Only their hashes are stored, so each call makes new ones; those of before stay good until they are
 *  used or end. @throws {HubError} ERR_STORE */
export async function issueTokens(username: string, lifetimeMs: number, deps: CompatDeps): Promise<IssuedTokens> {
  const userToken = newToken(deps);
  const apiKey = newToken(deps);
  const base = recordBase(lifetimeMs, deps);
  await deps.records.put([
    userTokenRecord(username, userToken, base),
    await holderRecord(username, base, deps),
    { ...base, kind: "api-key", key: digest(apiKey), value: JSON.stringify({ username }) },
  ]);
  return { userToken, apiKey };
}

/** Whom an API key belongs to, with a new user token. Undefined for a key that is none, has ended, or whose user may not log in.
 *  @throws {HubError} ERR_STORE */
export async function validatedKey(
  apiKey: string,
  lifetimeMs: number,
  deps: CompatDeps,
): Promise<IssuedTokens | undefined> {
  const record = TOKEN.test(apiKey) ? await deps.records.one("api-key", digest(apiKey)) : undefined;
  if (record === undefined || record.expiresAtMs <= deps.clock.wallMs()) return undefined;
  const { username } = JSON.parse(record.value) as { username: string };
  const known = await deps.accounts.directory.find(username);
  if (known === undefined || standingOf(known.user, deps.clock.wallMs()) !== "valid") return undefined;
  const userToken = newToken(deps);
  const base = recordBase(lifetimeMs, deps);
  await deps.records.put([userTokenRecord(username, userToken, base), await holderRecord(username, base, deps)]);
  return { userToken, apiKey };
}

/** Whether it is a token of the user; then it is spent: of two who use it at the same time one gets in.
 *  @throws {HubError} ERR_STORE */
export async function spendUserToken(username: string, token: string, deps: CompatDeps): Promise<boolean> {
  if (!TOKEN.test(token)) return false;
  const record = await deps.records.take("user-token", userTokenKey(username, token));
  if (record === undefined || record.expiresAtMs <= deps.clock.wallMs()) return false;
  if (record.atMs <= (await retiredAtMs(username, deps))) return false;
  // A token does not outlive its user.
  return (await deps.accounts.directory.find(username)) !== undefined;
}

/** Whether a user has been given a token that may not have ended yet. @throws {HubError} ERR_STORE */
export async function holdsToken(username: string, deps: CompatDeps): Promise<boolean> {
  const record = await deps.records.one("token-holder", username);
  return record !== undefined && record.expiresAtMs > deps.clock.wallMs();
}

/** Makes what tokens a user has no good as passwords: its acct session has ended. The user still is one that holds a token.
 *  @throws {HubError} ERR_STORE */
export async function retireTokens(username: string, { records, clock }: CompatDeps): Promise<void> {
  const holder = await records.one("token-holder", username);
  if (holder === undefined) return;
  const value: Holder = { retiredAtMs: clock.wallMs() };
  await records.put([{ ...holder, value: JSON.stringify(value) }]);
}

interface Holder {
  /** Tokens of before are no passwords any more. */
  readonly retiredAtMs?: number | undefined;
}

/** Until when the tokens of a user are retired; 0: none is. */
async function retiredAtMs(username: string, { records }: CompatDeps): Promise<number> {
  const holder = await records.one("token-holder", username);
  return holder === undefined ? 0 : ((JSON.parse(holder.value) as Holder).retiredAtMs ?? 0);
}

function newToken({ random }: CompatDeps): string {
  return Buffer.from(random.bytes(TOKEN_BYTES)).toString("hex");
}

type Base = Pick<ApiRecord, "atMs" | "expiresAtMs">;

function recordBase(lifetimeMs: number, { clock }: CompatDeps): Base {
  const atMs = clock.wallMs();
  return { atMs, expiresAtMs: atMs + lifetimeMs };
}

function userTokenRecord(username: string, token: string, base: Base): ApiRecord {
  return { ...base, kind: "user-token" satisfies ApiRecordKind, key: userTokenKey(username, token), value: "{}" };
}

async function holderRecord(username: string, base: Base, deps: CompatDeps): Promise<ApiRecord> {
  const value: Holder = { retiredAtMs: (await retiredAtMs(username, deps)) || undefined };
  return { ...base, kind: "token-holder" satisfies ApiRecordKind, key: username, value: JSON.stringify(value) };
}

/** The token is 160 random bits: its hash says nothing of it. */
function digest(text: string): string {
  return hash("sha256", text, "hex");
}

function userTokenKey(username: string, token: string): string {
  return digest(`${token} ${username}`);
}
