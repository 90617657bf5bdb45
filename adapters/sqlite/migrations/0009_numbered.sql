-- A moved log keeps its numbers. So cursors of a former name stay valid up to `newest`, the newest number at the move.
-- Logs that were moved before this migration have null here; their cursors are in former_cursors.
ALTER TABLE former_logs ADD COLUMN newest INTEGER;
