-- How many resources of each type there are that are not deleted, so that a total of all of a type counts nothing. Kept by
-- whoever writes, under the lock of the clock. There is a row for each number that a type may have, since a plain UPDATE
-- costs the writers least; none for Patients (102), which are counted as persons.
CREATE TABLE resource_count (
  type  smallint PRIMARY KEY,
  count bigint   NOT NULL
) WITH (fillfactor = 50);

SELECT set_config('causeway.homes', 'all', true);
INSERT INTO resource_count
SELECT types.type, count(r.type) FROM generate_series(0, 999) AS types (type)
LEFT JOIN resource r ON r.type = types.type AND NOT r.deleted WHERE types.type <> 102 GROUP BY types.type;
