-- Webhooks, the position of each, and their deliveries.

CREATE SEQUENCE webhooks_ids;

CREATE TABLE webhooks (
  id bigint PRIMARY KEY,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  url_key text NOT NULL COLLATE "C",
  enabled boolean NOT NULL,
  search text NOT NULL COLLATE "C",
  document text NOT NULL
);

CREATE TABLE positions (
  webhook bigint PRIMARY KEY,
  epoch integer NOT NULL,         -- place of the newest change that the webhook has had
  xid xid8 NOT NULL,
  seq integer NOT NULL,
  shown pg_snapshot,              -- which changes behind that place it has had as well
  owner text NOT NULL DEFAULT '', -- who delivers for it
  until timestamptz NOT NULL DEFAULT '-infinity'
);

CREATE TABLE deliveries (
  number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY, -- their order
  id text NOT NULL UNIQUE,
  webhook bigint NOT NULL CONSTRAINT deliveries_of_positions REFERENCES positions ON DELETE CASCADE,
  message_id text NOT NULL,
  type text NOT NULL,
  after text,                     -- a cursor
  requested boolean NOT NULL,
  at timestamptz NOT NULL,
  status text NOT NULL,
  attempts text NOT NULL,         -- [[at, status, error, duration_ms], …]
  next_attempt_at timestamptz
);

CREATE INDEX deliveries_of_webhook ON deliveries (webhook, number);
CREATE INDEX deliveries_pending ON deliveries (number) WHERE status = 'pending';
CREATE INDEX deliveries_by_age ON deliveries (at) WHERE status <> 'pending';
