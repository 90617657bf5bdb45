-- The folding of the text in this store. While the table is empty, opening the store checks all text.

CREATE TABLE folding (fold text NOT NULL);

INSERT INTO folding VALUES ('');
