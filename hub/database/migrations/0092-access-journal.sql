-- Journals of accesses that hubs keep on their own disks (docs/audit.md, "The journal"), and how far each is in access_log.
CREATE TABLE access_journal (
  id       uuid        PRIMARY KEY,
  -- The folder in which its file lies.
  folder   uuid,
  opened   timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- When its hub was last heard of.
  seen     timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Its frames up to this number are in access_log.
  taken    bigint      NOT NULL DEFAULT 0,
  -- When nothing more came of it.
  ended    timestamptz
);
CREATE INDEX access_journal_open ON access_journal (folder) WHERE ended IS NULL;
-- Files of hubs before, written in an emergency, which are in access_log.
INSERT INTO access_journal (id, opened, seen, taken, ended) SELECT file, at, at, 1, at FROM access_log_beside;
DROP TABLE access_log_beside;
