-- How the folded text of this store was folded: nothing yet says so, and then it is looked at when a store is opened.

CREATE TABLE folding (fold text NOT NULL);

INSERT INTO folding VALUES ('');
