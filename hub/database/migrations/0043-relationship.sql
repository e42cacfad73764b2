-- What a clinician says about its organisation's relationship to a person, where nothing in the record shows one.
CREATE TABLE attestation (
  id            uuid        PRIMARY KEY,
  home          bigint      NOT NULL,
  patient       text        NOT NULL,
  organization  text        NOT NULL,
  username      text        NOT NULL,
  reason        text        NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  until         timestamptz NOT NULL
);
CREATE INDEX attestation_by_home ON attestation (home, organization);

-- Records that were looked at for treatment without any proof of it: one row for each day, account and person.
CREATE TABLE unproven_access (
  day           date        NOT NULL,
  organization  text        NOT NULL,
  username      text        NOT NULL,
  patient       text        NOT NULL,
  times         integer     NOT NULL DEFAULT 1,
  first_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
  last_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  reviewed_by   text,
  reviewed_at   timestamptz,
  comment       text,
  PRIMARY KEY (day, organization, username, patient)
);
CREATE INDEX unproven_access_open ON unproven_access (last_at) WHERE reviewed_at IS NULL;
