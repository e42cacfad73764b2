-- The inbox: what was received, as received, sealed; committed before it is acknowledged.

CREATE TABLE message (
  seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            uuid        NOT NULL UNIQUE,
  received      timestamptz NOT NULL,
  source        text        NOT NULL,
  dialect       text        NOT NULL CHECK (dialect IN ('hl7v2', 'ccda', 'fhir', 'unknown')),
  type          text        NOT NULL,
  control_id    text        NOT NULL,
  lane          bigint      NOT NULL,
  size          integer     NOT NULL,
  digest        bytea       NOT NULL,
  sealing_key   bytea,
  body          bytea       NOT NULL,
  state         text        NOT NULL CHECK (state IN ('received', 'processed', 'failed', 'dead', 'refused')),
  attempts      smallint    NOT NULL DEFAULT 0,
  next_attempt  timestamptz,
  processed     timestamptz,
  error         text,
  patient       uuid,
  resources     integer     NOT NULL DEFAULT 0,
  mapped        integer     NOT NULL DEFAULT 0,
  consumed      integer     NOT NULL DEFAULT 0,
  structural    integer     NOT NULL DEFAULT 0,
  kept          integer     NOT NULL DEFAULT 0,
  rejected      integer     NOT NULL DEFAULT 0,
  issues        integer     NOT NULL DEFAULT 0,
  not_mapped    text[],
  issue_list    jsonb,
  answer        text
);
ALTER TABLE message ALTER body SET STORAGE EXTERNAL;
-- The same message again (source, control id, bytes) is answered again and not processed again.
CREATE UNIQUE INDEX message_once ON message (source, control_id, digest);
CREATE INDEX message_waiting ON message (seq) WHERE state IN ('received', 'failed');
CREATE INDEX message_by_state ON message (state, seq DESC);
CREATE INDEX message_by_source ON message (source, seq DESC);
CREATE INDEX message_by_control_id ON message (control_id);
-- A message that failed holds back the later ones of its lane.
CREATE INDEX message_failed_lane ON message (lane) WHERE state = 'failed';
