-- The key under which the index holds hashes of values, wrapped by the master key; one row. `renew`: whichever hub starts
-- next makes another one. `index_build.key` says under which the rows lie that were made: see hub/record/index-key.ts.
CREATE TABLE index_key (
  id       bigint PRIMARY KEY,
  wrapped  bytea NOT NULL,
  renew    boolean NOT NULL DEFAULT false
);

ALTER TABLE index_build ADD key bigint;
