-- A delivery that was withheld is counted in the register of refusals, also when the delivery itself is kept no longer.
CREATE FUNCTION count_withheld() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO refusal AS r (day, kind, organization, requester, action, times, first_at, last_at)
  VALUES (OLD.created::date, 'withheld', OLD.destination, OLD.destination, OLD.topic, 1, OLD.created, OLD.created)
  ON CONFLICT (day, kind, organization, requester, action) DO UPDATE SET times = r.times + 1,
    first_at = least(CASE WHEN r.times > 0 THEN r.first_at END, OLD.created),
    last_at = greatest(CASE WHEN r.times > 0 THEN r.last_at END, OLD.created);
  RETURN NULL;
END $$;
CREATE TRIGGER delivery_withheld_gone AFTER DELETE ON delivery
  FOR EACH ROW WHEN (OLD.withheld) EXECUTE FUNCTION count_withheld();
