-- Access keys, their credentials, and the key that made each change.

CREATE TABLE access_keys (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  scope text NOT NULL,
  last_four text NOT NULL,
  created_at timestamptz NOT NULL,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);

CREATE TABLE credentials (
  hash bytea PRIMARY KEY,         -- SHA-256 of the secret, which is kept nowhere
  key bigint NOT NULL REFERENCES access_keys ON DELETE CASCADE,
  type text NOT NULL,             -- key or session
  expires_at timestamptz          -- not after the key does
);

CREATE INDEX credentials_of_key ON credentials (key);
CREATE INDEX credentials_by_expiry ON credentials (expires_at);

ALTER TABLE changes ADD COLUMN actor_key bigint, ADD COLUMN actor_name text;
