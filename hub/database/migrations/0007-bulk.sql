-- Bulk data: exports, imports and what they leave until they expire. Every table is led by the job.

-- A job. `access` is that of its owner; `homes` are those an export is confined to, NULL for no such limit. `seq` and
-- `transaction_time` are the moment an export shows. `lease_holder` is the hub that works on the job. `sealing_key`
-- wraps the key of the job's parts: without the row they cannot be read.
CREATE TABLE bulk_job (
  id                uuid        PRIMARY KEY,
  kind              text        NOT NULL CHECK (kind IN ('export', 'import')),
  state             text        NOT NULL
                    CHECK (state IN ('receiving', 'waiting', 'running', 'complete', 'failed', 'cancelled')),
  owner             text        NOT NULL,
  access            jsonb       NOT NULL,
  request           text        NOT NULL,
  parameters        jsonb       NOT NULL,
  homes             bigint[],
  created           timestamptz NOT NULL DEFAULT now(),
  finished          timestamptz,
  expires           timestamptz NOT NULL,
  lease_holder      uuid,
  lease_until       timestamptz,
  attempts          smallint    NOT NULL DEFAULT 0,
  seq               bigint,
  transaction_time  timestamptz,
  done              bigint      NOT NULL DEFAULT 0,
  total             bigint,
  errors            bigint      NOT NULL DEFAULT 0,
  sealing_key       bytea       NOT NULL,
  problem           jsonb
);
CREATE INDEX bulk_job_open ON bulk_job (created) WHERE state IN ('receiving', 'waiting', 'running');
CREATE INDEX bulk_job_expiring ON bulk_job (expires);

-- A file of a job. An export's file is a range of homes of one type, read when it is downloaded (`range`), or a list of
-- versions (`keys`); messages are kept as they are sent (`lines`). An import's input is a file whose lines are worked
-- off (`input`); `ready` says that all of them are there.
CREATE TABLE bulk_file (
  job        uuid     NOT NULL,
  number     integer  NOT NULL,
  category   text     NOT NULL CHECK (category IN ('output', 'deleted', 'error', 'input')),
  content    text     NOT NULL CHECK (content IN ('range', 'keys', 'lines', 'input')),
  type       text     NOT NULL,
  from_home  bigint,
  to_home    bigint,
  lines      bigint,
  url        text,
  ready      boolean  NOT NULL DEFAULT true,
  PRIMARY KEY (job, number)
);

-- Pieces of files, sealed, in the order of `place`. An import's are deleted in the transaction that stores their lines.
CREATE TABLE bulk_part (
  job    uuid     NOT NULL,
  file   integer  NOT NULL,
  place  bigint   NOT NULL,
  lines  integer  NOT NULL,
  body   bytea    NOT NULL,
  PRIMARY KEY (job, file, place)
);
ALTER TABLE bulk_part ALTER body SET STORAGE EXTERNAL;

-- The moments that exports showed, so that an export `_since` one of them begins where that one ended.
CREATE TABLE bulk_moment (
  at   timestamptz PRIMARY KEY,
  seq  bigint      NOT NULL
);
