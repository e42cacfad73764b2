-- How many persons an organisation, or an account, looked at in an hour: what is usual for it.
CREATE TABLE fan_out_hour (
  kind     text        NOT NULL CHECK (kind IN ('organization', 'account')),
  key      text        NOT NULL,
  hour     timestamptz NOT NULL,
  persons  integer     NOT NULL,
  PRIMARY KEY (kind, key, hour)
);
-- When it was far more than usual.
CREATE TABLE fan_out_alarm (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  kind     text        NOT NULL,
  key      text        NOT NULL,
  persons  integer     NOT NULL,
  usual    integer     NOT NULL
);
CREATE INDEX fan_out_alarm_by_time ON fan_out_alarm (at DESC);
CREATE INDEX access_log_by_time ON access_log USING brin (at);
