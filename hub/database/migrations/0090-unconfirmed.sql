-- What is kept back until somebody confirms a link is kept back by no consent and no law: it is no refusal.
ALTER TABLE delivery ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
UPDATE delivery SET unconfirmed = true WHERE withheld AND last_error LIKE 'Not sent: nobody has confirmed%';

DROP TRIGGER delivery_withheld_gone ON delivery;
CREATE TRIGGER delivery_withheld_gone AFTER DELETE ON delivery
  FOR EACH ROW WHEN (OLD.withheld AND NOT OLD.unconfirmed) EXECUTE FUNCTION count_withheld();
