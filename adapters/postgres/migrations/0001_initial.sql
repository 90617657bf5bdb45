-- The first schema. A row has the document of an entity, and columns for sorting and finding it. Choices are ranks in
-- the order of their definition. A text has a column <field>_key with its folded form. Text sorts by code point, which
-- in UTF-8 is the "C" collation. Each direction has its own index: ids ascend among ties and nulls come last in both,
-- so neither order is the reverse of the other.

CREATE TABLE migrations (
  number integer PRIMARY KEY,
  applied_at timestamptz NOT NULL DEFAULT now()
);

-- The log has one name in each home that it has had; the name of the highest epoch is the current one.
CREATE TABLE log_names (
  epoch integer PRIMARY KEY,
  name text NOT NULL UNIQUE,
  home text NOT NULL              -- which cluster, database and table it named
);

-- Shared by every process on this database. One row, which is also the lock for purging.
CREATE TABLE secrets (
  secret bytea NOT NULL
);

INSERT INTO secrets VALUES (sha256((gen_random_uuid()::text || gen_random_uuid()::text)::bytea));

-- The position of the newest purged change of each entity type.
CREATE TABLE forgotten (
  kind text PRIMARY KEY COLLATE "C",
  epoch integer NOT NULL,
  xid xid8 NOT NULL,
  seq integer NOT NULL
);

INSERT INTO forgotten VALUES ('', 0, '0', 0); -- of no kind: the place in front of the first change

CREATE TABLE changes (
  epoch integer NOT NULL,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  seq integer NOT NULL,           -- from 1 in each transaction
  kind text NOT NULL COLLATE "C",
  id bigint NOT NULL,
  version bigint NOT NULL,
  action text NOT NULL,
  at timestamptz NOT NULL,
  request_id text NOT NULL,
  changed text NOT NULL,          -- names of fields, separated by spaces
  document text NOT NULL,         -- the entity as it was left or deleted
  PRIMARY KEY (epoch, xid, seq),
  CONSTRAINT changes_of_entity UNIQUE (id, kind, version)
);

CREATE INDEX changes_of_kind ON changes (kind, epoch, xid, seq);

CREATE TABLE receipts (
  caller text NOT NULL COLLATE "C",
  name text NOT NULL COLLATE "C",
  fingerprint bytea NOT NULL,
  receipt bytea NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (caller, name)
);

CREATE INDEX receipts_by_expiry ON receipts (expires_at);

CREATE SEQUENCE tasks_ids;

CREATE TABLE tasks (
  id bigint PRIMARY KEY,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  title_key text NOT NULL COLLATE "C",
  status smallint NOT NULL,
  priority smallint NOT NULL,
  due date,
  completed_at timestamptz,
  search text NOT NULL COLLATE "C",
  document text NOT NULL
);

CREATE INDEX tasks_version_up ON tasks (version, id);
CREATE INDEX tasks_version_down ON tasks (version DESC NULLS LAST, id);
CREATE INDEX tasks_created_at_up ON tasks (created_at, id);
CREATE INDEX tasks_created_at_down ON tasks (created_at DESC NULLS LAST, id);
CREATE INDEX tasks_updated_at_up ON tasks (updated_at, id);
CREATE INDEX tasks_updated_at_down ON tasks (updated_at DESC NULLS LAST, id);
CREATE INDEX tasks_title_up ON tasks (title_key, id);
CREATE INDEX tasks_title_down ON tasks (title_key DESC NULLS LAST, id);
CREATE INDEX tasks_status_up ON tasks (status, id);
CREATE INDEX tasks_status_down ON tasks (status DESC NULLS LAST, id);
CREATE INDEX tasks_priority_up ON tasks (priority, id);
CREATE INDEX tasks_priority_down ON tasks (priority DESC NULLS LAST, id);
CREATE INDEX tasks_due_up ON tasks (due, id);
CREATE INDEX tasks_due_down ON tasks (due DESC NULLS LAST, id);
CREATE INDEX tasks_completed_at_up ON tasks (completed_at, id);
CREATE INDEX tasks_completed_at_down ON tasks (completed_at DESC NULLS LAST, id);
CREATE INDEX tasks_search ON tasks USING gin (search gin_trgm_ops);

CREATE SEQUENCE products_ids;

CREATE TABLE products (
  id bigint PRIMARY KEY,
  version bigint NOT NULL,
  created_at timestamptz NOT NULL,
  updated_at timestamptz NOT NULL,
  name_key text NOT NULL COLLATE "C",
  price numeric(11, 2) NOT NULL,
  category_key text NOT NULL COLLATE "C",
  sku_key text COLLATE "C",
  stock integer,
  sku text COLLATE "C",
  search text NOT NULL COLLATE "C",
  document text NOT NULL,
  -- Deferred, because in one transaction two products may swap theirs.
  CONSTRAINT products_sku_taken UNIQUE (sku) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX products_version_up ON products (version, id);
CREATE INDEX products_version_down ON products (version DESC NULLS LAST, id);
CREATE INDEX products_created_at_up ON products (created_at, id);
CREATE INDEX products_created_at_down ON products (created_at DESC NULLS LAST, id);
CREATE INDEX products_updated_at_up ON products (updated_at, id);
CREATE INDEX products_updated_at_down ON products (updated_at DESC NULLS LAST, id);
CREATE INDEX products_name_up ON products (name_key, id);
CREATE INDEX products_name_down ON products (name_key DESC NULLS LAST, id);
CREATE INDEX products_price_up ON products (price, id);
CREATE INDEX products_price_down ON products (price DESC NULLS LAST, id);
CREATE INDEX products_category_up ON products (category_key, id);
CREATE INDEX products_category_down ON products (category_key DESC NULLS LAST, id);
CREATE INDEX products_sku_up ON products (sku_key, id);
CREATE INDEX products_sku_down ON products (sku_key DESC NULLS LAST, id);
CREATE INDEX products_stock_up ON products (stock, id);
CREATE INDEX products_stock_down ON products (stock DESC NULLS LAST, id);
CREATE INDEX products_search ON products USING gin (search gin_trgm_ops);
