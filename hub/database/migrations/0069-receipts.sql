-- How long deliveries are kept after they came to an end, by destination and route: `*` is every destination, an empty route
-- every route; the more particular row holds. Without a row all are kept.
CREATE TABLE delivery_retention (
  destination  text        NOT NULL,
  route        text        NOT NULL DEFAULT '',
  keep_days    integer     NOT NULL CHECK (keep_days >= 0),
  changed      timestamptz NOT NULL,
  by_whom      text        NOT NULL,
  reason       text        NOT NULL,
  PRIMARY KEY (destination, route)
);

-- What is left of a delivery that arrived: who received which version of what, and when. Corrections, retractions and recalls
-- follow it, so it stays as long as what it is about and whom it was told to are in the record.
CREATE TABLE receipt (
  seq             bigint      NOT NULL,
  created         timestamptz NOT NULL,
  delivered       timestamptz NOT NULL,
  destination     text        NOT NULL,
  route           text        NOT NULL,
  dialect         text        NOT NULL,
  kind            text        NOT NULL,
  topic           text        NOT NULL,
  home            bigint      NOT NULL,
  source          text        NOT NULL,
  person          uuid        NOT NULL,
  focus_type      smallint    NOT NULL,
  focus_rid       uuid        NOT NULL,
  focus_version   integer     NOT NULL,
  recipient       uuid        NOT NULL,
  recipient_home  bigint      NOT NULL,
  round           integer     NOT NULL,
  recall          uuid,
  PRIMARY KEY (focus_rid, focus_type, destination, route, recipient, round)
);
CREATE INDEX receipt_by_home ON receipt (home);
CREATE INDEX receipt_by_recipient ON receipt (recipient_home);
CREATE INDEX receipt_by_recall ON receipt (recall) WHERE recall IS NOT NULL;

-- Everything that somebody was told or is to be told.
CREATE VIEW told AS
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, state, attempts, message, last_error
  FROM delivery
  UNION ALL
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, 'delivered', 1::smallint, NULL::uuid, NULL::text
  FROM receipt;
