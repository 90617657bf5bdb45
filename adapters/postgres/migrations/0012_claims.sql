-- Transactions that give a value to a new owner lock one of these rows, by the hash of the value. Advisory locks would do
-- the same, but some engines lack them, and all the locks of a server share one table in its memory, which many values fill.

CREATE TABLE claim_locks (number integer PRIMARY KEY);

INSERT INTO claim_locks SELECT generate_series(0, 1023);
