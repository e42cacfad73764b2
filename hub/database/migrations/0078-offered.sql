-- Whether a delivery may have arrived, whatever became of it: its destination took no notice, or the hub ended. What may be there
-- is corrected and taken back, also where the delivery was cancelled afterwards.
ALTER TABLE delivery ADD COLUMN offered boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW told AS
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, state, attempts, message, last_error, offered
  FROM delivery
  UNION ALL
  SELECT seq, created, delivered, destination, route, dialect, kind, topic, home, source, person, focus_type, focus_rid,
    focus_version, recipient, recipient_home, round, recall, 'delivered', 1::smallint, NULL::uuid, NULL::text, true
  FROM receipt;
