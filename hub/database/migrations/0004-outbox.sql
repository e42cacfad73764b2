-- The outbox: what must reach whom. Rows are written in the transaction of the change that caused them.

CREATE TABLE delivery (
  seq           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id            uuid        NOT NULL UNIQUE,
  created       timestamptz NOT NULL,
  destination   text        NOT NULL,
  dialect       text        NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('new', 'correction', 'retraction')),
  topic         text        NOT NULL,
  home          bigint      NOT NULL,
  person        uuid        NOT NULL,
  focus_type    smallint    NOT NULL,
  focus_rid     uuid        NOT NULL,
  focus_version integer     NOT NULL,
  message       uuid,
  recipient     uuid        NOT NULL,
  state         text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'dead')),
  attempts      smallint    NOT NULL DEFAULT 0,
  next_attempt  timestamptz NOT NULL,
  delivered     timestamptz,
  last_error    text,
  UNIQUE (destination, recipient, focus_type, focus_rid, focus_version, kind)
);
CREATE INDEX delivery_waiting ON delivery (destination, next_attempt, seq) WHERE state IN ('waiting', 'failed');
CREATE INDEX delivery_by_message ON delivery (message);
CREATE INDEX delivery_by_focus ON delivery (focus_rid, focus_type);
CREATE INDEX delivery_by_person ON delivery (person);

-- Who cares for whom: derived from what flows (encounters, orders, named family doctors).
CREATE TABLE care_relationship (
  home      bigint      NOT NULL,
  site      text        NOT NULL,
  since     timestamptz NOT NULL,
  evidence  text        NOT NULL,
  PRIMARY KEY (home, site)
);
