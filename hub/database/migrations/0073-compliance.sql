-- Requests for health information that were refused or limited (45 CFR 171), and what an organisation says of its safeguards.

-- What the hub itself refused, put together by day. Each single request is in the record of accesses.
CREATE TABLE refusal (
  day           date        NOT NULL,
  kind          text        NOT NULL,
  organization  text        NOT NULL,
  requester     text        NOT NULL,
  action        text        NOT NULL,
  times         integer     NOT NULL,
  first_at      timestamptz NOT NULL,
  last_at       timestamptz NOT NULL,
  -- What covers it where a person decided so; otherwise that of its kind holds. `none`: it should have been answered.
  exception     text,
  decided_by    text,
  decided_at    timestamptz,
  note          text,
  PRIMARY KEY (day, kind, organization, requester, action)
);

-- Requests that came by letter, telephone or in person. `about` is JSON, sealed: who asked, for what, in which manner.
CREATE TABLE information_request (
  id         uuid        PRIMARY KEY,
  received   date        NOT NULL,
  requester  text        NOT NULL,
  patient    text,
  filed_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  filed_by   text        NOT NULL,
  about      bytea,
  state      text        NOT NULL CHECK (state IN ('open', 'fulfilled', 'refused', 'withdrawn')),
  exception  text
);
CREATE INDEX information_request_by_state ON information_request (state, received);
CREATE INDEX information_request_by_patient ON information_request (patient) WHERE patient IS NOT NULL;

-- `note` is sealed.
CREATE TABLE information_request_step (
  id       uuid        PRIMARY KEY,
  request  uuid        NOT NULL REFERENCES information_request ON DELETE CASCADE,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom  text        NOT NULL,
  step     text        NOT NULL,
  -- The day on which it was done.
  day      date        NOT NULL,
  note     bytea
);
CREATE INDEX information_request_step_by_request ON information_request_step (request, at);

-- What somebody vouches for that no program can look at, until it has to be looked at again.
CREATE TABLE safeguard_attestation (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  safeguard  text        NOT NULL,
  at         timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom    text        NOT NULL,
  state      text        NOT NULL CHECK (state IN ('in-place', 'partly', 'missing', 'not-applicable')),
  note       text        NOT NULL,
  until      date        NOT NULL
);
CREATE INDEX safeguard_attestation_by_safeguard ON safeguard_attestation (safeguard, id DESC);

-- When an account was last used to sign in: sessions that have ended are gone.
ALTER TABLE account ADD COLUMN signed_in timestamptz;
UPDATE account a SET signed_in = (SELECT max(created) FROM session s WHERE s.username = a.username);
