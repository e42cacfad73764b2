-- A certificate may be a registered client's, which shows by it who it is.
ALTER TABLE seen_certificate ALTER COLUMN participant DROP NOT NULL;
ALTER TABLE seen_certificate ADD COLUMN client text REFERENCES oauth_client ON DELETE CASCADE;
ALTER TABLE seen_certificate ADD CHECK ((participant IS NULL) <> (client IS NULL));
