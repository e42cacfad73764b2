-- Lists of the people for whom an organisation cares, as it uploads them: the latest holds. Who is on it is in
-- `care_relationship` (kind `panel`, evidence `panel/` and the id of the list since which they are).
CREATE TABLE panel (
  id           uuid        PRIMARY KEY,
  participant  text        NOT NULL,
  uploaded     timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom      text        NOT NULL,
  state        text        NOT NULL CHECK (state IN ('applying', 'current', 'replaced', 'abandoned')),
  rows         integer     NOT NULL,
  people       integer     NOT NULL DEFAULT 0,
  begun        integer     NOT NULL DEFAULT 0,
  ended        integer     NOT NULL DEFAULT 0,
  -- Lines of those who were found too often, or not at all, and have no record number.
  left_out     integer[]   NOT NULL DEFAULT '{}'
);
CREATE INDEX panel_by_participant ON panel (participant, uploaded DESC);
CREATE UNIQUE INDEX panel_one_applied ON panel (participant) WHERE state = 'applying';
CREATE INDEX care_relationship_panel ON care_relationship (site) WHERE kind = 'panel';
