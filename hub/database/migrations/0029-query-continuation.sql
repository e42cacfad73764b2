-- Answers to queries of HL7 v2 that were given in part (hub/query/continuations.ts): where they go on.
CREATE TABLE query_continuation (
  pointer  text PRIMARY KEY,
  source   text        NOT NULL,
  tag      text        NOT NULL,
  -- Digest of the query (QPD).
  asked    bytea       NOT NULL,
  cursor   text        NOT NULL,
  expires  timestamptz NOT NULL
);
CREATE INDEX query_continuation_by_query ON query_continuation (source, tag);
CREATE INDEX query_continuation_expires ON query_continuation (expires);

-- What an organisation may ask for over HL7 v2: demographics, identifiers, immunizations. Nothing, until somebody says so.
ALTER TABLE participant ADD COLUMN queries text[] NOT NULL DEFAULT '{}';
