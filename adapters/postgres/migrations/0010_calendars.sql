-- Calendars that programs subscribe to by a URL with a secret.

CREATE TABLE calendars (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  filter text NOT NULL,           -- the query of a list of tasks
  form text NOT NULL,             -- event or todo
  created_at timestamptz NOT NULL,
  actor_key bigint,               -- the key that made it
  actor_name text,
  hash bytea UNIQUE               -- SHA-256 of the secret, which is kept nowhere; null once the calendar was deleted
);
