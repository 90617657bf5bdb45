-- A log that is moved keeps its numbers. So cursors of a former name mean what they meant, up to the newest number of
-- the moment when it was moved; those of logs that were moved before are told one by one, and nothing is known here.
ALTER TABLE former_logs ADD COLUMN newest INTEGER;
