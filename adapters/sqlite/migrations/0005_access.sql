-- Access keys, their credentials, and the key that made each change.

CREATE TABLE access_keys (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  scope TEXT NOT NULL,
  last_four TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT;

CREATE TABLE credentials (
  hash BLOB PRIMARY KEY,          -- SHA-256 of the secret, which is kept nowhere
  key INTEGER NOT NULL,
  type TEXT NOT NULL,             -- key or session
  expires_at INTEGER              -- not after the key does
) STRICT, WITHOUT ROWID;

CREATE INDEX credentials_of_key ON credentials (key);
CREATE INDEX credentials_by_expiry ON credentials (expires_at);

ALTER TABLE changes ADD COLUMN actor_key INTEGER;
ALTER TABLE changes ADD COLUMN actor_name TEXT;
