-- What a change of a Patient needs to know of a source patient lies in its row of `link`: a digest of what matching looks
-- at, so that a change of something else is known to change no link, and the blocking keys under which it is entered, so
-- that these need no second index.
ALTER TABLE link ADD COLUMN demographics bigint, ADD COLUMN keys bigint[] NOT NULL DEFAULT '{}';
UPDATE link SET keys = k.keys
  FROM (SELECT home, array_agg(key) AS keys FROM blocking_key GROUP BY home) k WHERE k.home = link.home;
DROP INDEX blocking_key_by_home;
