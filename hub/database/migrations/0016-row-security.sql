-- The second lock: whatever a statement asks for, it gets rows of its scope only (`causeway.homes`: `all`, or homes with
-- commas between them, 0 for those that are no patient's; see hub/database/pool.ts). Without a scope there are no rows. The conditions use operators that
-- are leakproof, and so do the statements that have to find by an index.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['resource', 'resource_history', 'index_token', 'index_range', 'index_string', 'person'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    EXECUTE format($policy$
      CREATE POLICY scope ON %I USING (
        (SELECT current_setting('causeway.homes', true)) = 'all'
        OR greatest(home, 0) = ANY ((SELECT string_to_array(nullif(current_setting('causeway.homes', true), 'all'), ',')::bigint[])::bigint[]))
      $policy$, name);
  END LOOP;
END $$;
