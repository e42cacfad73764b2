-- The record: every FHIR resource, its versions and what it is found by.
-- `home` is the number of the source patient in whose compartment a resource lives. It leads every primary key, so
-- that it can be the shard key. Resources without a patient live in one of 1 024 shared homes (negative numbers).

-- One commit-ordered sequence for history, events and paging: whoever writes takes its numbers from this row, so that
-- numbers become visible in their order.
CREATE TABLE clock (
  one  boolean PRIMARY KEY DEFAULT true CHECK (one),
  seq  bigint NOT NULL
);
INSERT INTO clock (seq) VALUES (0);

-- A patient's number is given at the first mention of the patient and never changes. `source` is the organisation.
CREATE SEQUENCE home_number;
CREATE TABLE patient_home (
  rid   uuid   PRIMARY KEY,
  home  bigint NOT NULL UNIQUE DEFAULT nextval('home_number')
);

-- The data key of a home, wrapped by the master key. A lawful erasure sets it to NULL.
CREATE TABLE home_key (
  home     bigint PRIMARY KEY,
  wrapped  bytea
);

-- The current version of each resource. `body` is the deflated, sealed canonical text; `refs` holds the start and end
-- offsets, in that text, of the ids that name the home's own patient; `tokens` are the hashes of index_token.
CREATE TABLE resource (
  home     bigint      NOT NULL,
  rkey     bigint      NOT NULL,
  type     smallint    NOT NULL,
  rid      uuid        NOT NULL,
  version  integer     NOT NULL,
  seq      bigint      NOT NULL,
  updated  timestamptz NOT NULL,
  deleted  boolean     NOT NULL,
  as_of    timestamptz,
  message  uuid,
  refs     integer[],
  tokens   bigint[],
  body     bytea,
  PRIMARY KEY (home, rkey)
);
ALTER TABLE resource ALTER body SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX resource_by_id ON resource (rid, type);
CREATE INDEX resource_by_home_type ON resource (home, type, rkey DESC);
CREATE INDEX resource_by_type ON resource (type, rkey DESC);

CREATE TABLE resource_history (
  home     bigint      NOT NULL,
  rkey     bigint      NOT NULL,
  version  integer     NOT NULL,
  type     smallint    NOT NULL,
  rid      uuid        NOT NULL,
  seq      bigint      NOT NULL,
  updated  timestamptz NOT NULL,
  deleted  boolean     NOT NULL,
  as_of    timestamptz,
  message  uuid,
  refs     integer[],
  body     bytea,
  PRIMARY KEY (home, rkey, version)
);
ALTER TABLE resource_history ALTER body SET STORAGE EXTERNAL;
CREATE INDEX resource_history_by_id ON resource_history (rid, type, version DESC);

-- What resources are found by. `value` is a 64-bit hash of type, parameter and one spelling of a token, reference or
-- URI. Rows of one value come in the order of `rkey`, which never changes, so that pages stay stable.
CREATE TABLE index_token (
  value  bigint NOT NULL,
  rkey   bigint NOT NULL,
  home   bigint NOT NULL
);
CREATE INDEX index_token_by_value ON index_token (value, rkey DESC, home);

-- Dates (milliseconds since 1970), numbers and quantities; `unit` is a hash of system and code.
CREATE TABLE index_range (
  param  integer NOT NULL,
  low    double precision NOT NULL,
  high   double precision NOT NULL,
  unit   bigint,
  home   bigint NOT NULL,
  rkey   bigint NOT NULL
);
CREATE INDEX index_range_by_value ON index_range (param, low, high, home, rkey);
CREATE INDEX index_range_by_resource ON index_range (home, rkey, param);

CREATE TABLE index_string (
  param  integer NOT NULL,
  value  text COLLATE "C" NOT NULL,
  home   bigint NOT NULL,
  rkey   bigint NOT NULL
);
CREATE INDEX index_string_by_value ON index_string (param, value, home, rkey);
CREATE INDEX index_string_by_resource ON index_string (home, rkey);
