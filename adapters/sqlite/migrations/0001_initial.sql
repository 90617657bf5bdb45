-- The first schema. A row has the document of an entity, and columns for sorting and finding it. Times are in
-- microseconds since 1970 in UTC, money is in cents, and choices are ranks in the order of their definition. A text has
-- a column <field>_key with its folded form.

PRAGMA application_id = 0x6261636b; -- "back": tells the file from the databases of other programs

CREATE TABLE log (
  name TEXT NOT NULL,             -- the log's own name, part of every cursor
  secret BLOB NOT NULL,           -- shared by every process on this file
  newest INTEGER NOT NULL,        -- number of the newest change
  forgotten INTEGER NOT NULL      -- number of the newest change that is no longer kept
) STRICT;

INSERT INTO log VALUES (lower(hex(randomblob(8))), randomblob(32), 0, 0);

CREATE TABLE collections (
  kind TEXT PRIMARY KEY,
  last_id INTEGER NOT NULL,       -- ids up to here were given; none is given twice
  revision INTEGER NOT NULL       -- number of the newest change in this collection
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  number INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id INTEGER NOT NULL,
  version INTEGER NOT NULL,
  action TEXT NOT NULL,
  at INTEGER NOT NULL,
  request_id TEXT NOT NULL,
  changed TEXT NOT NULL,          -- names of fields, separated by spaces
  document TEXT NOT NULL          -- the entity as it was left or deleted
) STRICT;

CREATE INDEX changes_of_entity ON changes (id, kind, version);

CREATE TABLE receipts (
  number INTEGER PRIMARY KEY,     -- in the order in which they were written, and so in which they expire
  caller TEXT NOT NULL,
  name TEXT NOT NULL,
  fingerprint BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  receipt BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX receipts_of_caller ON receipts (caller, name);

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  title_key TEXT NOT NULL,
  status INTEGER NOT NULL,
  priority INTEGER NOT NULL,
  due TEXT,
  completed_at INTEGER,
  search TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE INDEX tasks_version ON tasks (version);
CREATE INDEX tasks_created_at ON tasks (created_at);
CREATE INDEX tasks_updated_at ON tasks (updated_at);
CREATE INDEX tasks_title ON tasks (title_key);
CREATE INDEX tasks_status ON tasks (status);
CREATE INDEX tasks_priority ON tasks (priority);
CREATE INDEX tasks_due ON tasks (due);
CREATE INDEX tasks_completed_at ON tasks (completed_at);

CREATE VIRTUAL TABLE tasks_search USING fts5 (
  search, content='tasks', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0
);

CREATE TABLE products (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  name_key TEXT NOT NULL,
  price INTEGER NOT NULL,
  category_key TEXT NOT NULL,
  sku_key TEXT,
  stock INTEGER,
  search TEXT NOT NULL,
  document TEXT NOT NULL
) STRICT;

CREATE INDEX products_version ON products (version);
CREATE INDEX products_created_at ON products (created_at);
CREATE INDEX products_updated_at ON products (updated_at);
CREATE INDEX products_name ON products (name_key);
CREATE INDEX products_price ON products (price);
CREATE INDEX products_category ON products (category_key);
CREATE INDEX products_sku ON products (sku_key); -- not UNIQUE: in one transaction two products may swap theirs
CREATE INDEX products_stock ON products (stock);

CREATE VIRTUAL TABLE products_search USING fts5 (
  search, content='products', content_rowid='id', tokenize='trigram case_sensitive 1', detail=none, columnsize=0
);
