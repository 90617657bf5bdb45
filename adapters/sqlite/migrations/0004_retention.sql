-- The time that purges go by. One row, from the first purge on.

CREATE TABLE retention (
  believed INTEGER NOT NULL,
  said INTEGER NOT NULL           -- by the clock, when that was last decided
) STRICT;
