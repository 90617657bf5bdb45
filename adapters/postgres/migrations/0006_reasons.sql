-- Why a change was made, in the words of whoever made it.

ALTER TABLE changes ADD COLUMN reason text;
