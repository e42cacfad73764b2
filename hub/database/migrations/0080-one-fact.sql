-- The same fact comes by two paths: a laboratory's result from the laboratory, and again as the hospital relays it. `numbers` are
-- hashes of the numbers by which any site names it, `substance` one of what was told of it. What was told already ends as
-- `already-delivered`; `same_as` is the `seq` of the delivery, or receipt, that told it.
ALTER TABLE delivery ADD COLUMN numbers uuid[];
ALTER TABLE delivery ADD COLUMN substance uuid;
ALTER TABLE delivery ADD COLUMN same_as bigint;
ALTER TABLE delivery DROP CONSTRAINT delivery_state_check;
ALTER TABLE delivery ADD CONSTRAINT delivery_state_check CHECK
  (state IN ('waiting', 'delivered', 'accepted', 'failed', 'dead', 'cancelled', 'already-delivered'));
CREATE INDEX delivery_by_substance ON delivery (recipient_home, substance) WHERE substance IS NOT NULL;

ALTER TABLE receipt ADD COLUMN numbers uuid[];
ALTER TABLE receipt ADD COLUMN substance uuid;
CREATE INDEX receipt_by_substance ON receipt (recipient_home, substance) WHERE substance IS NOT NULL;

CREATE OR REPLACE VIEW told AS
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, state, attempts, message, last_error, offered, numbers, substance
  FROM delivery
  UNION ALL
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, 'delivered', 1::smallint, NULL::uuid, NULL::text, true, numbers,
    substance
  FROM receipt;
