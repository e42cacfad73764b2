-- An organisation is told by routes: of each where to, in which form, and of what. What was its endpoint is its route
-- `main`; the column `endpoint` is read no more.
ALTER TABLE participant ADD COLUMN routes jsonb NOT NULL DEFAULT '[]';
UPDATE participant SET routes = jsonb_build_array(jsonb_build_object('name', 'main', 'to', endpoint))
WHERE endpoint IS NOT NULL;

-- Deliveries go by a route, in order for each recipient on it, the more urgent first. A delivery that waits before a more
-- urgent one of the same recipient is as urgent: of each recipient the urgency never rises along `seq`.
ALTER TABLE delivery ADD COLUMN route text NOT NULL DEFAULT 'main';
ALTER TABLE delivery ADD COLUMN priority smallint NOT NULL DEFAULT 0;
ALTER TABLE delivery DROP CONSTRAINT delivery_destination_recipient_focus_type_focus_rid_round_key;
ALTER TABLE delivery ADD UNIQUE (destination, route, recipient, focus_type, focus_rid, round);
DROP INDEX delivery_waiting;
DROP INDEX delivery_waiting_in_order;
CREATE INDEX delivery_waiting ON delivery (destination, route, priority DESC, seq) WHERE state IN ('waiting', 'failed');
CREATE INDEX delivery_waiting_in_order ON delivery (destination, route, recipient, seq)
  WHERE state IN ('waiting', 'failed');
-- When something that waits for another attempt is due.
CREATE INDEX delivery_due ON delivery (destination, route, next_attempt) WHERE state = 'failed';

ALTER TABLE destination_down ADD COLUMN route text NOT NULL DEFAULT 'main';
ALTER TABLE destination_down DROP CONSTRAINT destination_down_pkey;
ALTER TABLE destination_down ADD PRIMARY KEY (destination, route);
