-- Changes are numbered 1, 2, 3 … in the order of commits, as in every store. Before, they were in the order of
-- transaction ids (epoch, xid, seq). With its new table the log gets a new name (see migrating.py). The old cursors of
-- changes stay in former_cursors with their numbers, like those of moved logs.

-- The number up to which cursors of a former name are valid; null if those cursors had no numbers.
ALTER TABLE log_names ADD COLUMN newest bigint;

ALTER TABLE changes RENAME TO changes_before;
ALTER TABLE forgotten RENAME TO forgotten_before;
ALTER TABLE former_cursors RENAME TO former_cursors_before;

CREATE TABLE changes (LIKE changes_before, number bigint NOT NULL);

INSERT INTO changes SELECT *, row_number() OVER (ORDER BY epoch, xid, seq) FROM changes_before;

DROP TABLE changes_before;

ALTER TABLE changes ADD PRIMARY KEY (number);
ALTER TABLE changes ADD CONSTRAINT changes_of_entity UNIQUE (id, kind, version);
CREATE INDEX changes_of_kind ON changes (kind, number);
CREATE INDEX changes_by_place ON changes (epoch, xid, seq);

-- The number of the newest purged change of each entity type.
CREATE TABLE forgotten (
  kind text NOT NULL COLLATE "C",
  number bigint NOT NULL
);

-- The row of no entity type holds the number before the first change of the log. A writer locks this row to number its
-- changes.
INSERT INTO forgotten VALUES ('', 0);

CREATE TABLE former_cursors (
  cursor text NOT NULL COLLATE "C",
  number bigint NOT NULL          -- of the change that it is behind
);

INSERT INTO former_cursors
SELECT cursor, coalesce(number, 0) FROM former_cursors_before LEFT JOIN changes USING (epoch, xid, seq)
UNION ALL
SELECT concat(name, '-', epoch, '.', xid, '.', seq), number
FROM (
  SELECT epoch, xid, seq, number FROM changes
  UNION ALL
  (SELECT epoch, xid, seq, 0 FROM forgotten_before ORDER BY epoch DESC, xid DESC, seq DESC LIMIT 1)
) AS places,
(SELECT name FROM log_names ORDER BY log_names.epoch DESC LIMIT 1) AS log;

DROP TABLE former_cursors_before, forgotten_before;

ALTER TABLE forgotten ADD PRIMARY KEY (kind);
ALTER TABLE former_cursors ADD PRIMARY KEY (cursor);
CREATE INDEX former_cursors_of_change ON former_cursors (number);

-- Returns the number of changes before a position, or before the first later change that a snapshot did not show. A
-- webhook that already had changes after that one gets them again.
CREATE FUNCTION number_of(integer, xid8, integer, pg_snapshot) RETURNS bigint LANGUAGE sql AS $$
  SELECT coalesce(
    (
      SELECT number - 1 FROM changes
      WHERE (epoch, xid, seq) > ($1, $2, $3) AND ($4 IS NULL OR epoch > $1 OR NOT pg_visible_in_snapshot(xid, $4))
      ORDER BY epoch, xid, seq LIMIT 1
    ),
    (SELECT max(number) FROM changes),
    0
  )
$$;

ALTER TABLE positions ADD COLUMN number bigint; -- of the newest change that the webhook has had

UPDATE positions SET number = number_of(epoch, xid, seq, shown);

ALTER TABLE positions
  ALTER COLUMN number SET NOT NULL,
  DROP COLUMN epoch, DROP COLUMN xid, DROP COLUMN seq, DROP COLUMN shown;

INSERT INTO former_cursors
SELECT after, number_of(
  place[1]::integer, place[2]::xid8, place[3]::integer, concat(place[4], ':', place[5], ':', translate(place[6], '.', ','))::pg_snapshot
)
FROM (SELECT DISTINCT after FROM deliveries) AS deliveries,
(SELECT name FROM log_names ORDER BY log_names.epoch DESC LIMIT 1) AS log,
regexp_match(after, concat('^', name, '-(\d+)[.](\d+)[.](\d+)-(\d+)[.](\d+)[.]?([0-9.]*)$')) AS place
WHERE place IS NOT NULL;

DROP FUNCTION number_of;

ALTER TABLE changes DROP COLUMN epoch, DROP COLUMN xid, DROP COLUMN seq;

-- Takes the lock for numbering changes until the end of the transaction, and returns the newest number. There is no
-- counter row: while an old snapshot exists, all its dead versions would slow everybody down. The function always uses
-- an index: a plan made for an empty log would later read all of it.
CREATE FUNCTION lock_log() RETURNS bigint LANGUAGE plpgsql SET lock_timeout = 0 SET enable_seqscan = off AS $$
BEGIN
  PERFORM FROM forgotten WHERE kind = '' FOR UPDATE;
  RETURN coalesce((SELECT number FROM changes ORDER BY number DESC LIMIT 1), (SELECT max(number) FROM forgotten));
END
$$;
