-- Where the log lives: at another place there may be a copy with the same name. One row, from the first start on.

CREATE TABLE home (
  path TEXT NOT NULL,             -- of the file, without symbolic links
  machine TEXT NOT NULL           -- a hash of the machine's id; empty if it has none
) STRICT;
