-- The logs that this one was moved from, so that their followers can go on. Their names are in log_names, with epochs
-- below 1.

CREATE TABLE former_cursors (
  cursor text PRIMARY KEY COLLATE "C",
  epoch integer NOT NULL,         -- the place that it stands for
  xid xid8 NOT NULL,
  seq integer NOT NULL
);

CREATE INDEX former_cursors_of_place ON former_cursors (epoch, xid, seq);
