-- A delivery that the access decision kept back is made anew when the person's consents change; one that is being sent
-- meanwhile is looked at once more.
ALTER TABLE delivery ADD COLUMN withheld boolean NOT NULL DEFAULT false;
ALTER TABLE delivery ADD COLUMN reconsider boolean NOT NULL DEFAULT false;
CREATE INDEX delivery_withheld ON delivery (home) WHERE withheld;
