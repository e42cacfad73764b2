-- How long old versions are kept, by type. A type without a row keeps everything for ever. An old version goes when it is
-- not among the newest `keep_versions` (the current one counts) and was replaced more than `keep_days` days ago; where
-- one of them is NULL, the other decides alone.
CREATE TABLE retention (
  type           text        PRIMARY KEY,
  keep_versions  integer CHECK (keep_versions >= 1),
  keep_days      integer CHECK (keep_days >= 0),
  changed        timestamptz NOT NULL,
  by_whom        text        NOT NULL,
  reason         text        NOT NULL,
  CHECK (keep_versions IS NOT NULL OR keep_days IS NOT NULL)
);

-- What was deleted is rare; expunging finds it here.
CREATE INDEX resource_deleted ON resource (type, home, rkey) WHERE deleted;
