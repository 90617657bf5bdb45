-- Webhooks, the position of each, and their deliveries.

CREATE TABLE webhooks (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  url_key TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  search TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE webhooks_search USING fts5 (
  search, content='webhooks', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0
);

CREATE TABLE positions (
  webhook INTEGER PRIMARY KEY,
  number INTEGER NOT NULL,        -- of the newest change that the webhook has had
  owner TEXT NOT NULL DEFAULT '', -- who delivers for it
  until INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE deliveries (
  number INTEGER PRIMARY KEY AUTOINCREMENT, -- their order
  id TEXT NOT NULL UNIQUE,
  webhook INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  type TEXT NOT NULL,
  after TEXT,                     -- a cursor
  requested INTEGER NOT NULL,
  at INTEGER NOT NULL,
  status TEXT NOT NULL,
  attempts TEXT NOT NULL,         -- [[at, status, error, duration_ms], …]
  next_attempt_at INTEGER
) STRICT;

CREATE INDEX deliveries_of_webhook ON deliveries (webhook, number);
CREATE INDEX deliveries_pending ON deliveries (number) WHERE status = 'pending';
CREATE INDEX deliveries_by_age ON deliveries (at) WHERE status <> 'pending';
