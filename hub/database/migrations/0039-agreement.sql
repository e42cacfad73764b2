-- How an organisation comes onto the network, and what was agreed with it (docs/agreements.md).

-- The steps of each organisation: the latest says where it stands. Every change of what was agreed writes one too, under a
-- lock of the table, so that the highest id tells whether anything changed.
CREATE TABLE participant_step (
  id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  participant  text        NOT NULL,
  state        text        NOT NULL
               CHECK (state IN ('invited', 'keys', 'tested', 'signed', 'live', 'suspended', 'ended')),
  at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom      text        NOT NULL,
  note         text        NOT NULL
);
CREATE INDEX participant_step_by_participant ON participant_step (participant, id DESC);

-- What was agreed. It is in force when both have signed, from `valid_from` until `valid_to`, and until the one that
-- supersedes it is.
CREATE TABLE agreement (
  id             uuid        PRIMARY KEY,
  participant    text        NOT NULL,
  version        integer     NOT NULL,
  may            text[]      NOT NULL,
  purposes       text[]      NOT NULL,
  -- For public health and research: the types of resources that may be read.
  types          text[]      NOT NULL,
  jurisdiction   text,
  valid_from     timestamptz NOT NULL,
  valid_to       timestamptz NOT NULL,
  text           text        NOT NULL,
  -- SHA-256 of the text and of what is agreed: what both sign.
  hash           text        NOT NULL,
  made_by        text        NOT NULL,
  made_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  participant_signed_by  text,
  participant_signed_at  timestamptz,
  network_signed_by      text,
  network_signed_at      timestamptz,
  superseded_by  uuid REFERENCES agreement,
  UNIQUE (participant, version)
);

-- Certificates that stand for an organisation, and until when.
CREATE TABLE participant_certificate (
  fingerprint  text        PRIMARY KEY,
  participant  text        NOT NULL,
  subject      text        NOT NULL,
  expires      timestamptz NOT NULL,
  added_by     text        NOT NULL,
  added_at     timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- The link by which an organisation comes onto the network; of its token only the hash is kept.
CREATE TABLE participant_invitation (
  token        bytea       PRIMARY KEY,
  participant  text        NOT NULL,
  made_by      text        NOT NULL,
  expires      timestamptz NOT NULL
);
