-- The access decision's facts of each version (docs/access.md): its labels, as bits of packages/access/src/labels.ts (1:
-- not yet labelled, which is what rows are that nobody labelled), and the days of its data.
ALTER TABLE resource ADD COLUMN labels integer NOT NULL DEFAULT 1, ADD COLUMN first_day date, ADD COLUMN last_day date;
ALTER TABLE resource_history
  ADD COLUMN labels integer NOT NULL DEFAULT 1, ADD COLUMN first_day date, ADD COLUMN last_day date;
CREATE INDEX resource_unlabelled ON resource (home, rkey) WHERE labels & 1 <> 0;
CREATE INDEX resource_history_unlabelled ON resource_history (home, rkey, version) WHERE labels & 1 <> 0;

-- The provisions of the consents that hold for a source patient, each with what it is an exception to (`path`: the
-- numbers of its ancestors and its own). What is NULL is no criterion. They are written in the transaction that stores
-- the Consent, or that links and splits persons.
CREATE TABLE consent_provision (
  home       bigint            NOT NULL,
  consent    uuid              NOT NULL,
  node       smallint          NOT NULL,
  parent     smallint,
  path       smallint[]        NOT NULL,
  -- 0: none, 1: permit, 2: deny
  effect     smallint          NOT NULL,
  permits    boolean           NOT NULL,
  -- It or an ancestor names actors.
  named      boolean           NOT NULL,
  -- Labels for which it is a permission.
  covers     integer           NOT NULL,
  times      tstzmultirange    NOT NULL,
  actors     text[],
  purposes   text[],
  labels     integer,
  types      smallint[],
  codes      bigint[],
  first_day  date,
  last_day   date,
  -- Type and id, `91/3f6c…`.
  instances  text[],
  PRIMARY KEY (home, consent, node)
);
CREATE INDEX consent_provision_by_consent ON consent_provision (consent);

-- The second lock knows the labels that hide a row: the scope is homes, and after a stroke the bits (see 0016).
CREATE FUNCTION scope_homes() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT split_part(current_setting('causeway.homes', true), '/', 1) $$;
CREATE FUNCTION scope_withheld() RETURNS integer LANGUAGE sql STABLE PARALLEL SAFE AS
  $$ SELECT coalesce(nullif(split_part(current_setting('causeway.homes', true), '/', 2), '')::integer, 0) $$;
DO $$
DECLARE
  name text;
  labels text;
BEGIN
  FOREACH name IN ARRAY ARRAY['resource', 'resource_history', 'index_token', 'index_range', 'index_string', 'person'] LOOP
    labels := CASE WHEN name LIKE 'resource%' THEN 'AND (labels & (SELECT scope_withheld())) = 0' ELSE '' END;
    EXECUTE format('DROP POLICY scope ON %I', name);
    EXECUTE format($policy$
      CREATE POLICY scope ON %I USING (
        ((SELECT scope_homes()) = 'all'
         OR greatest(home, 0) = ANY ((SELECT string_to_array(nullif(scope_homes(), 'all'), ',')::bigint[])::bigint[]))
        %s)
      $policy$, name, labels);
  END LOOP;
END $$;
