-- Connectors: sources that only answer, from which the hub takes by itself. One hub at a time runs each.
CREATE TABLE connector (
  key           text        PRIMARY KEY,
  -- In whose name everything is taken.
  participant   text        NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('fhir', 'sftp', 'folder', 'sql')),
  settings      jsonb       NOT NULL,
  -- Passwords and keys, sealed under the master key.
  secrets       bytea,
  paused        boolean     NOT NULL DEFAULT false,
  -- How far it is: a watermark, a file half read, a page. Its form is the kind's own.
  progress      jsonb       NOT NULL DEFAULT '{}',
  next_run      timestamptz NOT NULL DEFAULT now(),
  lease_holder  uuid,
  lease_until   timestamptz NOT NULL DEFAULT now(),
  started       timestamptz,
  ended         timestamptz,
  succeeded     timestamptz,
  failures      integer     NOT NULL DEFAULT 0,
  error         text,
  alarmed       boolean     NOT NULL DEFAULT false,
  -- Of the last run, and since the connector was made: {"taken": …, "unchanged": …, "refused": …, "gone": …}.
  last_counts   jsonb       NOT NULL DEFAULT '{}',
  all_counts    jsonb       NOT NULL DEFAULT '{}'
);

-- What was taken from a source: resources by type and id, files by name.
CREATE TABLE connector_item (
  connector  text        NOT NULL REFERENCES connector ON DELETE CASCADE,
  item       text        NOT NULL,
  -- Of what it was when it was taken.
  digest     bytea       NOT NULL,
  state      text        NOT NULL CHECK (state IN ('taken', 'failed', 'gone')),
  reason     text,
  seen       timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (connector, item)
);
CREATE INDEX connector_item_failed ON connector_item (connector, seen DESC) WHERE state = 'failed';

-- A row of a table is a message of its own.
ALTER TABLE message DROP CONSTRAINT message_dialect_check;
ALTER TABLE message ADD CONSTRAINT message_dialect_check
  CHECK (dialect IN ('hl7v2', 'ccda', 'fhir', 'table', 'unknown')) NOT VALID;
