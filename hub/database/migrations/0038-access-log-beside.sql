-- Files of accesses that were written beside while the record of accesses could not be written (docs/access.md, 5), and
-- that were brought in: each once.
CREATE TABLE access_log_beside (
  file     uuid        PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  entries  integer     NOT NULL,
  damaged  integer     NOT NULL
);
