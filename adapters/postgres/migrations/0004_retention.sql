-- The time that purges go by. One row, from the first purge on.

CREATE TABLE retention (
  believed timestamptz NOT NULL,
  said timestamptz NOT NULL       -- by the clock, when that was last decided
);
