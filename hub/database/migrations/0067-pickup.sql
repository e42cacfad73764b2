-- Documents that wait on a page of the hub for an organisation that was written to: until when, and how many wrong PINs were
-- given since the last right one. What waits is not here: it is read from the record when it is looked at.
CREATE TABLE pickup (
  delivery  uuid        PRIMARY KEY,
  expires   timestamptz NOT NULL,
  failures  integer     NOT NULL DEFAULT 0,
  opened    timestamptz
);
CREATE INDEX pickup_by_expiry ON pickup (expires);
