-- Look-ups of a person for an emergency access (docs/access.md, 4); one that none follows is told to the privacy officers.
CREATE TABLE emergency_lookup (
  id            uuid        PRIMARY KEY,
  username      text        NOT NULL,
  organization  text        NOT NULL,
  at            timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Ids of Patients.
  found         text[]      NOT NULL,
  -- Whether what follows was looked for.
  is_settled    boolean     NOT NULL DEFAULT false
);
CREATE INDEX emergency_lookup_open ON emergency_lookup (at) WHERE NOT is_settled;
