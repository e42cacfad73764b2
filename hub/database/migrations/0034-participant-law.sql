-- What the law asks of an organisation: the state whose rules hold for it, and whether it is a programme under 42 CFR Part 2,
-- whose records all are labelled so.
ALTER TABLE participant ADD COLUMN state text, ADD COLUMN part2 boolean NOT NULL DEFAULT false;
