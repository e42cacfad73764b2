-- By which program and time zone the rows of `consent_provision` are made. Where that changes, each home that has consents
-- gets a refusal of everything (`stale`) until its rows are made anew. Empty: nobody has said yet.
CREATE TABLE consent_derivation (
  only_one  boolean PRIMARY KEY DEFAULT true CHECK (only_one),
  stamp     text    NOT NULL
);
INSERT INTO consent_derivation (stamp) VALUES ('');
ALTER TABLE consent_provision ADD COLUMN stale boolean NOT NULL DEFAULT false;
CREATE INDEX consent_provision_stale ON consent_provision (home) WHERE stale;
