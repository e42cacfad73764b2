-- Which accounts stand for which persons: patients themselves, and those who act for them. How it was proved is kept.
CREATE TABLE account_person (
  id         uuid        PRIMARY KEY,
  username   text        NOT NULL REFERENCES account ON DELETE CASCADE,
  -- A source patient; with it go those that are confirmed to be the same person.
  patient    text        NOT NULL,
  relation   text        NOT NULL CHECK (relation IN ('self', 'parent', 'guardian', 'carer', 'other')),
  proofing   text        NOT NULL CHECK (proofing IN ('in-person', 'invitation', 'external')),
  evidence   text        NOT NULL,
  bound_by   text        NOT NULL,
  since      timestamptz NOT NULL DEFAULT clock_timestamp(),
  until      timestamptz,
  ended      timestamptz,
  ended_by   text
);
CREATE INDEX account_person_by_account ON account_person (username) WHERE ended IS NULL;
CREATE INDEX account_person_by_patient ON account_person (patient) WHERE ended IS NULL;

-- A code by which somebody binds an account of their own; of the code only the hash is kept.
CREATE TABLE invitation (
  code      bytea       PRIMARY KEY,
  patient   text        NOT NULL,
  relation  text        NOT NULL,
  made_by   text        NOT NULL,
  expires   timestamptz NOT NULL,
  tries     integer     NOT NULL DEFAULT 0
);
