-- The reason for a change, in the caller's words.

ALTER TABLE changes ADD COLUMN reason text;
