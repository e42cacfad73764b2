-- Profiles, tags and security labels that resources of a type have, or once had; noted when the first one is stored, and
-- looked up in the index when somebody asks what is in use. `system` is empty for profiles and where a coding has none.
CREATE TABLE label (
  type     smallint NOT NULL,
  kind     text     NOT NULL CHECK (kind IN ('profile', 'tag', 'security')),
  system   text     NOT NULL,
  code     text     NOT NULL,
  display  text,
  PRIMARY KEY (type, kind, system, code)
);
