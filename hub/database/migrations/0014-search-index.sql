-- What resources are found by, led by the home: rows of one value come in the order of pages (home, then newest first),
-- so that a person's rows of a value are one range, a page of a frequent value costs a page, and pages are stable.
-- All rows are made anew (hub/record/index-build.ts): `index_build` says how far that is.
CREATE TABLE index_build (
  one     boolean PRIMARY KEY DEFAULT true CHECK (one),
  -- The format that all rows before the place have; see `indexFormat`.
  format  integer NOT NULL,
  home    bigint,
  rkey    bigint
);

DROP TABLE index_token, index_range, index_string;

-- `value` is a 64-bit hash of type, parameter and one spelling of a token or URI; of a reference it is the exclusive or
-- of the target's `resource.self` and a hash of type and parameter.
CREATE TABLE index_token (
  value  bigint NOT NULL,
  home   bigint NOT NULL,
  rkey   bigint NOT NULL
);
CREATE INDEX index_token_by_value ON index_token (value, home, rkey DESC);

-- Dates (milliseconds since 1970), numbers and quantities; `unit` is a hash. `param` is a hash of type and parameter, of
-- a composite one with the value of its first component.
CREATE TABLE index_range (
  param  bigint NOT NULL,
  low    double precision NOT NULL,
  high   double precision NOT NULL,
  unit   bigint,
  home   bigint NOT NULL,
  rkey   bigint NOT NULL
);
CREATE INDEX index_range_by_value ON index_range (param, low, home, rkey DESC) INCLUDE (high, unit);
CREATE INDEX index_range_by_resource ON index_range (home, rkey, param);

CREATE TABLE index_string (
  param  bigint NOT NULL,
  value  text COLLATE "C" NOT NULL,
  home   bigint NOT NULL,
  rkey   bigint NOT NULL
);
CREATE INDEX index_string_by_value ON index_string (param, value, home, rkey DESC);
CREATE INDEX index_string_by_resource ON index_string (home, rkey, param);

-- A hash of the resource's own type and id, by which references to it are followed.
ALTER TABLE resource ADD self bigint;
CREATE INDEX resource_by_self ON resource (self);

DROP INDEX resource_by_home_type;
DROP INDEX resource_by_type;
CREATE INDEX resource_by_type ON resource (type, home, rkey DESC);
CREATE INDEX resource_by_time ON resource (type, updated);
CREATE INDEX resource_by_sequence ON resource (type, seq);
CREATE INDEX resource_history_by_sequence ON resource_history (type, seq);
