-- What has to be brought to an end by somebody: results that were taken back and have to be acknowledged as such (recall),
-- discharges until who cares next has the summary (transition), referrals until the note is back, critical results until a
-- person has acknowledged them. `site` is who has to act, where one organisation has.
CREATE TABLE care_loop (
  id             uuid        PRIMARY KEY,
  kind           text        NOT NULL CHECK (kind IN ('recall', 'transition', 'referral', 'critical-result')),
  state          text        NOT NULL CHECK (state IN ('open', 'accepted', 'closed')),
  why            text        NOT NULL,
  opened         timestamptz NOT NULL,
  due            timestamptz NOT NULL,
  escalated      timestamptz,
  home           bigint      NOT NULL,
  source         text        NOT NULL,
  site           text,
  focus_type     smallint    NOT NULL,
  focus_rid      uuid        NOT NULL,
  focus_version  integer     NOT NULL,
  assignee       text,
  closed         timestamptz,
  closed_by      text,
  outcome        text
);
CREATE UNIQUE INDEX care_loop_one_open ON care_loop (focus_rid, focus_type, kind)
  WHERE state <> 'closed' AND kind <> 'recall';
CREATE INDEX care_loop_by_focus ON care_loop (focus_rid, focus_type);
CREATE INDEX care_loop_by_time ON care_loop (opened DESC);
CREATE INDEX care_loop_due ON care_loop (due) WHERE state <> 'closed';
CREATE INDEX care_loop_by_home ON care_loop (home);

-- What happened to a loop: who did or said what.
CREATE TABLE care_loop_event (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  loop     uuid        NOT NULL REFERENCES care_loop ON DELETE CASCADE,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  by_whom  text        NOT NULL,
  event    text        NOT NULL,
  note     text
);
CREATE INDEX care_loop_event_by_loop ON care_loop_event (loop, id);

-- The recall that a correction or retraction is part of.
ALTER TABLE delivery ADD COLUMN recall uuid;
CREATE INDEX delivery_by_recall ON delivery (recall) WHERE recall IS NOT NULL;
