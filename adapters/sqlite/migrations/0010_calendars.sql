-- Calendars that programs subscribe to by a URL with a secret.

CREATE TABLE calendars (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  filter TEXT NOT NULL,           -- the query of a list of tasks
  form TEXT NOT NULL,             -- event or todo
  created_at INTEGER NOT NULL,
  actor_key INTEGER,              -- the key that made it
  actor_name TEXT,
  hash BLOB UNIQUE                -- SHA-256 of the secret, which is kept nowhere; null once the calendar was deleted
) STRICT;
