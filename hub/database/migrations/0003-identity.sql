-- The person index: which source patients are one human. Linking and splitting move rows of `link`, nothing else.

CREATE TABLE person (
  id       uuid        PRIMARY KEY,
  home     bigint      NOT NULL,
  version  integer     NOT NULL,
  seq      bigint      NOT NULL,
  updated  timestamptz NOT NULL,
  body     bytea
);

-- Every source patient belongs to exactly one person. `presented` is the person's id where the person has several
-- source patients, and NULL where the source patient is all that is known of the person.
CREATE TABLE link (
  home       bigint      PRIMARY KEY,
  patient    uuid        NOT NULL,
  source     text        NOT NULL,
  person     uuid        NOT NULL,
  presented  uuid,
  grade      text        NOT NULL CHECK (grade IN ('source', 'auto', 'confirmed')),
  weight     double precision,
  placeholder text,
  since      timestamptz NOT NULL
);
CREATE INDEX link_by_person ON link (person);
CREATE UNIQUE INDEX link_by_patient ON link (patient);

CREATE TABLE blocking_key (
  key   bigint NOT NULL,
  home  bigint NOT NULL,
  PRIMARY KEY (key, home)
);
CREATE INDEX blocking_key_by_home ON blocking_key (home);

-- What a person decided, and what a source stated, about two source patients. The latest row of a pair holds.
CREATE TABLE link_decision (
  id         uuid        PRIMARY KEY,
  a          bigint      NOT NULL,
  b          bigint      NOT NULL,
  same       boolean     NOT NULL,
  by_whom    text        NOT NULL,
  at         timestamptz NOT NULL,
  reason     text        NOT NULL,
  CHECK (a < b)
);
CREATE INDEX link_decision_by_a ON link_decision (a);
CREATE INDEX link_decision_by_b ON link_decision (b);

CREATE TABLE link_history (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at           timestamptz NOT NULL,
  by_whom      text        NOT NULL,
  event        text        NOT NULL CHECK (event IN ('linked', 'unlinked', 'merged', 'split')),
  patient      uuid        NOT NULL,
  person       uuid        NOT NULL,
  previous     uuid,
  probability  double precision,
  reason       text        NOT NULL
);
CREATE INDEX link_history_by_person ON link_history (person);
CREATE INDEX link_history_by_patient ON link_history (patient);

CREATE TABLE review (
  id           uuid        PRIMARY KEY,
  a            bigint      NOT NULL,
  b            bigint      NOT NULL,
  created      timestamptz NOT NULL,
  weight       double precision NOT NULL,
  probability  double precision NOT NULL,
  guards       text[]      NOT NULL,
  kind         text        NOT NULL CHECK (kind IN ('duplicate', 'overlay')),
  decision     text CHECK (decision IN ('same', 'different')),
  decided_by   text,
  decided_at   timestamptz,
  reason       text,
  UNIQUE (a, b, kind)
);
CREATE INDEX review_open ON review (created DESC) WHERE decision IS NULL;
