-- What the provisions of a home say of one row to a caller, as one number (hub/trust/decision.ts, which holds the same within a
-- statement). Statements that look at few rows call it.
CREATE FUNCTION consent_said(
  row_home bigint, row_type smallint, row_rid uuid, row_labels integer, row_tokens bigint[], row_first_day date,
  row_last_day date, caller_names text[], caller_purpose text, is_named_alone boolean
) RETURNS integer LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
  said integer;
  has_exceptions boolean;
BEGIN
  SELECT coalesce(bit_or(CASE WHEN n.effect = 1 AND (n.named OR NOT is_named_alone) THEN n.covers | 268435456
      WHEN n.effect = 2 THEN CASE WHEN n.named THEN 1073741824 ELSE 536870912 END ELSE 0 END) FILTER (WHERE n.times @> now() AND (n.actors IS NULL OR n.actors && caller_names::text[]) AND (n.purposes IS NULL OR caller_purpose::text = ANY(n.purposes)) AND (n.labels IS NULL OR row_labels & n.labels <> 0) AND (n.types IS NULL OR row_type = ANY(n.types)) AND (n.codes IS NULL OR coalesce(row_tokens && n.codes, NOT n.permits)) AND (n.instances IS NULL OR row_type || '/' || row_rid = ANY(n.instances)) AND (n.first_day IS NULL OR CASE WHEN row_first_day IS NULL THEN NOT n.permits
      WHEN n.permits THEN row_first_day >= n.first_day AND row_last_day <= n.last_day
      ELSE row_last_day >= n.first_day AND row_first_day <= n.last_day END)), 0), coalesce(bool_or(n.parent IS NOT NULL), false)
    INTO said, has_exceptions FROM consent_provision n WHERE n.home = row_home;
  IF has_exceptions THEN
    RETURN (SELECT coalesce(bit_or(CASE WHEN n.effect = 1 AND (n.named OR NOT is_named_alone) THEN n.covers | 268435456
      WHEN n.effect = 2 THEN CASE WHEN n.named THEN 1073741824 ELSE 536870912 END ELSE 0 END), 0) AS bits
    FROM consent_provision n WHERE n.home = row_home AND (n.times @> now() AND (n.actors IS NULL OR n.actors && caller_names::text[]) AND (n.purposes IS NULL OR caller_purpose::text = ANY(n.purposes)) AND (n.labels IS NULL OR row_labels & n.labels <> 0) AND (n.types IS NULL OR row_type = ANY(n.types)) AND (n.codes IS NULL OR coalesce(row_tokens && n.codes, NOT n.permits)) AND (n.instances IS NULL OR row_type || '/' || row_rid = ANY(n.instances)) AND (n.first_day IS NULL OR CASE WHEN row_first_day IS NULL THEN NOT n.permits
      WHEN n.permits THEN row_first_day >= n.first_day AND row_last_day <= n.last_day
      ELSE row_last_day >= n.first_day AND row_first_day <= n.last_day END))
      AND NOT EXISTS (SELECT 1 FROM consent_provision above WHERE above.home = row_home
        AND above.consent = n.consent AND above.node = ANY(n.path) AND NOT (above.times @> now() AND (above.actors IS NULL OR above.actors && caller_names::text[]) AND (above.purposes IS NULL OR caller_purpose::text = ANY(above.purposes)) AND (above.labels IS NULL OR row_labels & above.labels <> 0) AND (above.types IS NULL OR row_type = ANY(above.types)) AND (above.codes IS NULL OR coalesce(row_tokens && above.codes, NOT above.permits)) AND (above.instances IS NULL OR row_type || '/' || row_rid = ANY(above.instances)) AND (above.first_day IS NULL OR CASE WHEN row_first_day IS NULL THEN NOT above.permits
      WHEN above.permits THEN row_first_day >= above.first_day AND row_last_day <= above.last_day
      ELSE row_last_day >= above.first_day AND row_first_day <= above.last_day END)) OFFSET 0)
      AND NOT EXISTS (SELECT 1 FROM consent_provision under WHERE under.home = row_home
        AND under.consent = n.consent AND under.parent = n.node AND (under.times @> now() AND (under.actors IS NULL OR under.actors && caller_names::text[]) AND (under.purposes IS NULL OR caller_purpose::text = ANY(under.purposes)) AND (under.labels IS NULL OR row_labels & under.labels <> 0) AND (under.types IS NULL OR row_type = ANY(under.types)) AND (under.codes IS NULL OR coalesce(row_tokens && under.codes, NOT under.permits)) AND (under.instances IS NULL OR row_type || '/' || row_rid = ANY(under.instances)) AND (under.first_day IS NULL OR CASE WHEN row_first_day IS NULL THEN NOT under.permits
      WHEN under.permits THEN row_first_day >= under.first_day AND row_last_day <= under.last_day
      ELSE row_last_day >= under.first_day AND row_first_day <= under.last_day END)) OFFSET 0));
  END IF;
  RETURN said;
END
$$;
