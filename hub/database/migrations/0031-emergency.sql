-- Emergency accesses (docs/access.md, 4): one account, one person, for an hour at most, with its reason and its review.
ALTER TABLE account ADD COLUMN may_emergency boolean NOT NULL DEFAULT true;
CREATE TABLE emergency_access (
  id            uuid        PRIMARY KEY,
  username      text        NOT NULL,
  organization  text        NOT NULL,
  -- The Patient as it was asked for; the person whose it is, is looked up at each use.
  patient       text        NOT NULL,
  reason_code   text        NOT NULL,
  reason        text        NOT NULL,
  step_up       text        NOT NULL,
  begun         timestamptz NOT NULL DEFAULT clock_timestamp(),
  ends          timestamptz NOT NULL,
  ended         timestamptz,
  verdict       text CHECK (verdict IN ('appropriate', 'inappropriate')),
  reviewed_by   text,
  reviewed_at   timestamptz,
  comment       text
);
CREATE INDEX emergency_access_open ON emergency_access (begun) WHERE verdict IS NULL;
CREATE INDEX emergency_access_by_user ON emergency_access (username, ends);

-- What somebody has to be told: a role, or those who are bound to a person.
CREATE TABLE notice (
  id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- `role:privacy-officer`, `account:ann`, `patient:` and the id of a Patient
  recipient  text        NOT NULL,
  kind       text        NOT NULL,
  about      jsonb       NOT NULL
);
CREATE INDEX notice_by_recipient ON notice (recipient, id DESC);
CREATE TABLE notice_read (
  notice    bigint      NOT NULL REFERENCES notice ON DELETE CASCADE,
  username  text        NOT NULL,
  at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (notice, username)
);
