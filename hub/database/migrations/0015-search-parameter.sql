-- The search parameters that SearchParameter resources define. Every write indexes by those that are `indexing` or
-- `active`; what was written before, up to the sequence number `since`, is gone through in the background: to index it,
-- or, for `retired` ones, to take away what was indexed. The place is that of the last resource that was gone through.
CREATE TABLE search_parameter (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- The SearchParameter resource.
  rid         uuid        NOT NULL,
  definition  json        NOT NULL,
  state       text        NOT NULL CHECK (state IN ('indexing', 'active', 'retired')),
  changed     timestamptz NOT NULL DEFAULT now(),
  since       bigint,
  type        smallint,
  home        bigint,
  rkey        bigint,
  done        bigint      NOT NULL DEFAULT 0,
  total       bigint
);
CREATE UNIQUE INDEX search_parameter_in_use ON search_parameter (rid) WHERE state <> 'retired';

-- Counts the changes of the parameters: whoever writes learns with its numbers whether it indexes by the newest.
ALTER TABLE clock ADD parameters bigint NOT NULL DEFAULT 0;
