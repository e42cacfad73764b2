-- The outbox: what must reach whom. Rows are written in the transaction of the change that caused them.

-- `home` is that of the focus, `recipient` the receiving site's own Patient. `round` counts what one recipient is sent
-- about one focus. What is sent is the focus as it stood at `created`, so that every attempt sends the same bytes.
-- `leased` marks what is being sent, until `next_attempt` at most; `attempts` is 0 as long as nothing can have left.
CREATE TABLE delivery (
  seq             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  id              uuid        NOT NULL UNIQUE,
  created         timestamptz NOT NULL,
  destination     text        NOT NULL,
  dialect         text        NOT NULL,
  kind            text        NOT NULL CHECK (kind IN ('new', 'correction', 'retraction')),
  topic           text        NOT NULL,
  home            bigint      NOT NULL,
  source          text        NOT NULL,
  person          uuid        NOT NULL,
  focus_type      smallint    NOT NULL,
  focus_rid       uuid        NOT NULL,
  focus_version   integer     NOT NULL,
  message         uuid,
  recipient       uuid        NOT NULL,
  recipient_home  bigint      NOT NULL,
  round           integer     NOT NULL,
  state           text        NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'dead', 'cancelled')),
  attempts        smallint    NOT NULL DEFAULT 0,
  leased          boolean     NOT NULL DEFAULT false,
  next_attempt    timestamptz NOT NULL,
  delivered       timestamptz,
  last_error      text,
  UNIQUE (destination, recipient, focus_type, focus_rid, round)
);
CREATE INDEX delivery_waiting ON delivery (destination, seq) WHERE state IN ('waiting', 'failed');
CREATE INDEX delivery_waiting_in_order ON delivery (destination, recipient, seq) WHERE state IN ('waiting', 'failed');
CREATE INDEX delivery_by_state ON delivery (state, seq DESC);
CREATE INDEX delivery_by_message ON delivery (message);
CREATE INDEX delivery_by_focus ON delivery (focus_rid, focus_type);
CREATE INDEX delivery_by_home ON delivery (home);
CREATE INDEX delivery_by_recipient ON delivery (recipient_home);

-- Which site cares for the person of its own source patient, and what shows it: a chart, an encounter.
CREATE TABLE care_relationship (
  home      bigint      NOT NULL,
  site      text        NOT NULL,
  since     timestamptz NOT NULL,
  evidence  text        NOT NULL,
  PRIMARY KEY (home, site)
);
