-- The logs that this one was moved from, so that their followers can go on.

CREATE TABLE former_logs (
  name TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

CREATE TABLE former_cursors (
  cursor TEXT PRIMARY KEY,
  number INTEGER NOT NULL         -- of the change that it is behind
) STRICT, WITHOUT ROWID;

CREATE INDEX former_cursors_of_change ON former_cursors (number);
