-- How the folded text of this store was folded: nothing yet says so, and then it is looked at when a store is opened.

CREATE TABLE folding (fold TEXT NOT NULL) STRICT;

INSERT INTO folding VALUES ('');
