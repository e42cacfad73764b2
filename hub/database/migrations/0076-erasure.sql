-- Erasure of a person on lawful request (docs/erasure.md).

-- `patients` and `homes` say whose record it is: ids of the source patients, and the numbers of their homes. Of what was
-- erased the numbers alone are left. `refused` counts what was sent about the person since.
CREATE TABLE erasure (
  id            uuid        PRIMARY KEY,
  state         text        NOT NULL CHECK (state IN ('requested', 'withdrawn', 'confirmed', 'erased', 'lifted')),
  patients      text[]      NOT NULL,
  homes         bigint[]    NOT NULL,
  extent        text        NOT NULL CHECK (extent IN ('person', 'source')),
  legal_basis   text        NOT NULL,
  reason        text        NOT NULL,
  requested_by  text        NOT NULL,
  requested_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
  confirmed_by  text,
  confirmed_at  timestamptz,
  -- What it waits for: deliveries that are being sent, imports.
  held_by       text,
  erased_at     timestamptz,
  -- How much of what went.
  counts        jsonb       NOT NULL DEFAULT '{}',
  -- When no byte of it was left in the files of the database.
  maintained_at timestamptz,
  ended_by      text,
  ended_at      timestamptz,
  end_reason    text,
  refused       bigint      NOT NULL DEFAULT 0,
  refused_at    timestamptz
);
CREATE INDEX erasure_open ON erasure (requested_at) WHERE state IN ('requested', 'confirmed');

-- By what somebody is known of whom nothing is taken any more: keyed hashes (HMAC-SHA-256) of the ids of source patients and
-- of the lanes of their messages.
CREATE TABLE erasure_stop (
  token    bytea NOT NULL,
  erasure  uuid  NOT NULL,
  PRIMARY KEY (token, erasure)
);

-- The key of those hashes, wrapped by the master key.
CREATE TABLE erasure_key (
  id       text  PRIMARY KEY,
  wrapped  bytea NOT NULL
);

-- Nothing is written into the home of an erased person.
ALTER TABLE patient_home ADD erased boolean NOT NULL DEFAULT false;
