-- Routes that were taken away, or whose organisation has left the network: what waited for them is withdrawn. One that is there
-- again (`restored`) is told what it missed, and stands here no longer.
CREATE TABLE removed_route (
  destination  text        NOT NULL,
  route        text        NOT NULL,
  since        timestamptz NOT NULL DEFAULT now(),
  -- How many deliveries were withdrawn, and whether that was told.
  withdrawn    bigint      NOT NULL DEFAULT 0,
  told         boolean     NOT NULL DEFAULT false,
  restored     timestamptz,
  PRIMARY KEY (destination, route)
);

CREATE FUNCTION note_removed_routes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO removed_route (destination, route)
  SELECT OLD.key, one->>'name' FROM jsonb_array_elements(OLD.routes) one
  WHERE one->>'name' NOT IN (SELECT other->>'name' FROM jsonb_array_elements(NEW.routes) other)
  ON CONFLICT (destination, route) DO UPDATE SET restored = NULL, told = false;
  UPDATE removed_route SET restored = now()
  WHERE destination = NEW.key AND restored IS NULL
    AND route IN (SELECT one->>'name' FROM jsonb_array_elements(NEW.routes) one);
  RETURN NULL;
END $$;
CREATE TRIGGER participant_routes AFTER UPDATE OF routes ON participant
  FOR EACH ROW WHEN (OLD.routes IS DISTINCT FROM NEW.routes) EXECUTE FUNCTION note_removed_routes();

INSERT INTO removed_route (destination, route)
SELECT DISTINCT destination, route FROM delivery d WHERE state IN ('waiting', 'failed') AND NOT EXISTS (
  SELECT FROM participant p, jsonb_array_elements(p.routes) one WHERE p.key = d.destination AND one->>'name' = d.route);

-- Withdrawn since its route was gone.
ALTER TABLE delivery ADD COLUMN route_gone boolean NOT NULL DEFAULT false;
CREATE INDEX delivery_route_gone ON delivery (destination, route) WHERE route_gone;
