-- SMART Health Links: what a person shares by an address that the hub does not know (its SHA-256 alone), and files that were
-- encrypted in the person's browser under a key that the hub never has. Label and recipients are sealed under the home's key.
CREATE TABLE health_link (
  id            uuid        PRIMARY KEY,
  patient       text        NOT NULL,
  home          bigint      NOT NULL,
  address       bytea       NOT NULL UNIQUE,
  flag          text        NOT NULL,
  label         bytea,
  made_by       text        NOT NULL,
  passcode      text,
  attempts_left integer     NOT NULL,
  made          timestamptz NOT NULL DEFAULT now(),
  expires       timestamptz,
  revoked       timestamptz
);
CREATE INDEX health_link_by_home ON health_link (home);
CREATE TABLE health_link_file (
  link         uuid        NOT NULL REFERENCES health_link ON DELETE CASCADE,
  number       integer     NOT NULL,
  content_type text        NOT NULL,
  jwe          text        NOT NULL,
  updated      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (link, number)
);
-- Addresses of files, good for one request.
CREATE TABLE health_link_location (
  token   bytea       PRIMARY KEY,
  link    uuid        NOT NULL REFERENCES health_link ON DELETE CASCADE,
  number  integer     NOT NULL,
  expires timestamptz NOT NULL
);
CREATE INDEX health_link_location_by_expiry ON health_link_location (expires);
-- Who opened a link, as they said who they are.
CREATE TABLE health_link_use (
  id        bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  link      uuid        NOT NULL REFERENCES health_link ON DELETE CASCADE,
  at        timestamptz NOT NULL DEFAULT now(),
  outcome   text        NOT NULL,
  recipient bytea
);
CREATE INDEX health_link_use_by_link ON health_link_use (link, id);
