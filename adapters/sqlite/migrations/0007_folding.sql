-- The folding of the text in this store. While the table is empty, opening the store checks all text.

CREATE TABLE folding (fold TEXT NOT NULL) STRICT;

INSERT INTO folding VALUES ('');
