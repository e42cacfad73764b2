-- Until when a delivery that is being sent is left to its worker. Taking one up changes nothing that deliveries are found by,
-- so that its row finds place beside itself and no index is written.
ALTER TABLE delivery ADD COLUMN leased_until timestamptz;
ALTER TABLE delivery SET (fillfactor = 60);

-- One index finds what was told of a focus, and that nothing is told twice.
DO $$
DECLARE
  known text;
BEGIN
  SELECT conname INTO STRICT known FROM pg_constraint
  WHERE conrelid = 'delivery'::regclass AND contype = 'u' AND cardinality(conkey) = 6;
  EXECUTE format('ALTER TABLE delivery DROP CONSTRAINT %I', known);
END $$;
DROP INDEX delivery_by_focus;
ALTER TABLE delivery ADD CONSTRAINT delivery_once
  UNIQUE (focus_rid, focus_type, destination, route, recipient, round);
