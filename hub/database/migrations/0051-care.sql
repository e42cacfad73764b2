-- Who cares for a person, in which capacity, from when until when, and what shows it (`Encounter/9b88…`, `panel/01c9…`). A
-- row belongs to the source patient of whom the evidence speaks; `site` may know the person under another.
CREATE TABLE care (
  home      bigint      NOT NULL,
  site      text        NOT NULL,
  kind      text        NOT NULL,
  evidence  text        NOT NULL,
  starts    timestamptz NOT NULL,
  ends      timestamptz,
  PRIMARY KEY (home, site, kind, evidence)
);
INSERT INTO care (home, site, kind, evidence, starts)
  SELECT c.home, c.site, 'chart', 'Patient/' || l.patient, c.since FROM care_relationship c JOIN link l USING (home);
DROP TABLE care_relationship;
ALTER TABLE care RENAME TO care_relationship;
ALTER INDEX care_pkey RENAME TO care_relationship_pkey;
