/** Each entry takes a database from the version before it to its own, which is its place in the list. Entries are never changed
 *  once released: a new one is added. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE acct_session (
    -- Never used twice: usage rows outlive the acct session that they belong to.
    session_row INTEGER PRIMARY KEY AUTOINCREMENT,
    base TEXT NOT NULL,
    generation INTEGER NOT NULL,
    nas_key TEXT NOT NULL,
    acct_session_id TEXT NOT NULL,
    username TEXT,
    usernames INTEGER NOT NULL,
    open INTEGER NOT NULL,
    close_cause TEXT,
    closed_at_ms INTEGER,
    terminate_cause INTEGER,
    started_at_ms INTEGER NOT NULL,
    counted_at_ms INTEGER NOT NULL,
    heard_at_ms INTEGER NOT NULL,
    stale_after_ms INTEGER NOT NULL,
    -- When to look whether it is stale. Not moved by each record, so that an interim touches no index.
    check_at_ms INTEGER NOT NULL,
    session_seconds INTEGER,
    upload_octets INTEGER NOT NULL,
    download_octets INTEGER NOT NULL,
    gigawords_seen INTEGER NOT NULL,
    start_seen INTEGER NOT NULL,
    calling_station TEXT,
    framed_ip TEXT,
    nas_identifier TEXT,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX acct_session_key ON acct_session (base, generation);
  CREATE INDEX acct_session_username ON acct_session (username, open) WHERE username IS NOT NULL;
  CREATE INDEX acct_session_id ON acct_session (acct_session_id, open);
  CREATE INDEX acct_session_calling_station ON acct_session (calling_station, open) WHERE calling_station IS NOT NULL;
  CREATE INDEX acct_session_framed_ip ON acct_session (framed_ip, open) WHERE framed_ip IS NOT NULL;
  CREATE INDEX acct_session_nas_key ON acct_session (nas_key, open);
  CREATE INDEX acct_session_nas_identifier ON acct_session (nas_identifier, open) WHERE nas_identifier IS NOT NULL;
  CREATE INDEX acct_session_open ON acct_session (open) WHERE open = 1;
  CREATE INDEX acct_session_check ON acct_session (check_at_ms) WHERE open = 1;
  CREATE INDEX acct_session_closed ON acct_session (closed_at_ms) WHERE open = 0;

  CREATE TABLE usage (
    username TEXT NOT NULL,
    period_key TEXT NOT NULL,
    -- 0: the sum of acct sessions that have been forgotten.
    session_row INTEGER NOT NULL,
    upload_octets INTEGER NOT NULL,
    download_octets INTEGER NOT NULL,
    seconds INTEGER NOT NULL,
    PRIMARY KEY (username, period_key, session_row)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX usage_period ON usage (period_key);

  CREATE TABLE quota_override (
    username TEXT PRIMARY KEY,
    limits TEXT NOT NULL,
    note TEXT,
    set_at_ms INTEGER NOT NULL,
    set_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE quota_mark (
    mark_key TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX quota_mark_username ON quota_mark (username);
  CREATE INDEX quota_mark_expires ON quota_mark (expires_at_ms);
  CREATE TABLE quota_action (
    action_key TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    acct_session_key TEXT NOT NULL,
    rule TEXT NOT NULL,
    threshold REAL NOT NULL,
    period_key TEXT NOT NULL,
    action TEXT NOT NULL,
    state TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    last_outcome TEXT,
    last_at_ms INTEGER,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX quota_action_username ON quota_action (username);
  CREATE INDEX quota_action_due ON quota_action (due_at_ms);
  CREATE INDEX quota_action_expires ON quota_action (expires_at_ms);

  CREATE TABLE outbox (
    message_id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    topic TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    due_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    buried_at_ms INTEGER
  ) STRICT;
  CREATE INDEX outbox_due ON outbox (due_at_ms) WHERE buried_at_ms IS NULL;
  CREATE INDEX outbox_buried ON outbox (buried_at_ms) WHERE buried_at_ms IS NOT NULL;

  CREATE TABLE audit (
    exchange_id TEXT PRIMARY KEY,
    at_ms INTEGER NOT NULL,
    username TEXT,
    nas TEXT,
    outcome TEXT NOT NULL,
    entry TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_at ON audit (at_ms, exchange_id);
  CREATE INDEX audit_username ON audit (username, at_ms, exchange_id) WHERE username IS NOT NULL;
  CREATE INDEX audit_outcome ON audit (outcome, at_ms, exchange_id);
  CREATE INDEX audit_nas ON audit (nas, at_ms, exchange_id) WHERE nas IS NOT NULL;

  CREATE TABLE user (
    username TEXT PRIMARY KEY,
    plan TEXT,
    disabled INTEGER NOT NULL,
    changed_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE plan (
    name TEXT PRIMARY KEY,
    quota_rules TEXT NOT NULL,
    changed_at_ms INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  // Users with passwords, validity and values of their own; plans with values; what routers have yet to be told.
  `
  ALTER TABLE user ADD COLUMN facts TEXT NOT NULL DEFAULT '{"overrides":{}}';
  ALTER TABLE user ADD COLUMN revision TEXT NOT NULL DEFAULT '0';
  CREATE INDEX user_plan ON user (plan, username) WHERE plan IS NOT NULL;
  ALTER TABLE plan ADD COLUMN facts TEXT NOT NULL DEFAULT '{"values":{}}';
  ALTER TABLE plan ADD COLUMN revision TEXT NOT NULL DEFAULT '0';
  CREATE TABLE user_change (
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    due_at_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    after TEXT,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX user_change_due ON user_change (due_at_ms);
  `,
  // Which peer each NAS-Identifier belongs to.
  `
  CREATE TABLE binding (
    nas_identifier TEXT NOT NULL,
    peer_key TEXT NOT NULL,
    peer_label TEXT NOT NULL,
    client TEXT NOT NULL,
    shared INTEGER NOT NULL,
    bound_at_ms INTEGER NOT NULL,
    seen_at_ms INTEGER NOT NULL,
    PRIMARY KEY (nas_identifier, peer_key)
  ) STRICT, WITHOUT ROWID;
  `,

  // Expressions and not columns: of most records they are absent, and nothing has to write them.
  `
  CREATE INDEX acct_session_framed_ipv6 ON acct_session (facts ->> '$.framedIpv6Address', open)
    WHERE facts ->> '$.framedIpv6Address' IS NOT NULL;
  CREATE INDEX acct_session_framed_prefix ON acct_session (facts ->> '$.framedIpv6Prefix', open)
    WHERE facts ->> '$.framedIpv6Prefix' IS NOT NULL;
  CREATE INDEX acct_session_delegated_prefix ON acct_session (facts ->> '$.delegatedIpv6Prefix', open)
    WHERE facts ->> '$.delegatedIpv6Prefix' IS NOT NULL;
  `,
  // What the HTTP APIs keep beside users and acct sessions.
  `
  CREATE TABLE api_record (
    kind TEXT NOT NULL,
    record_key TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, record_key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX api_record_at ON api_record (kind, at_ms, record_key);
  CREATE INDEX api_record_expires ON api_record (expires_at_ms);
  `,
  // Few routers have it: an expression, as above.
  `
  CREATE INDEX acct_session_multi_session ON acct_session (facts ->> '$.multiSessionId', open)
    WHERE facts ->> '$.multiSessionId' IS NOT NULL;
  `,
];
