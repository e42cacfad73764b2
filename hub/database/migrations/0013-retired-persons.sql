-- The ids of persons that were merged into others still find them.
CREATE INDEX link_history_by_previous ON link_history (previous) WHERE previous IS NOT NULL;
