-- Converting stored messages anew when a map changes (hub/inbox/reprocess.ts): by which map each was converted, what each
-- made, and which belong to one lane.
ALTER TABLE message ADD COLUMN map_version bigint;
CREATE INDEX message_by_lane ON message (lane, seq);
CREATE INDEX resource_by_message ON resource (message) WHERE message IS NOT NULL;
CREATE INDEX resource_history_by_message ON resource_history (message) WHERE message IS NOT NULL;

CREATE TABLE reprocess (
  id           uuid        PRIMARY KEY,
  filter       jsonb       NOT NULL,
  requested_by text        NOT NULL,
  requested    timestamptz NOT NULL,
  state        text        NOT NULL CHECK (state IN ('running', 'complete', 'cancelled')),
  -- The last lane that is done; lanes are gone through in the order of their numbers.
  after_lane   bigint,
  lanes        integer     NOT NULL,
  lanes_done   integer     NOT NULL DEFAULT 0,
  messages     integer     NOT NULL DEFAULT 0,
  added        integer     NOT NULL DEFAULT 0,
  changed      integer     NOT NULL DEFAULT 0,
  removed      integer     NOT NULL DEFAULT 0,
  -- Lanes left as they are, and why the last of them was.
  left_out     integer     NOT NULL DEFAULT 0,
  left_because text,
  finished     timestamptz
);
-- One at a time.
CREATE UNIQUE INDEX reprocess_running ON reprocess (state) WHERE state = 'running';
