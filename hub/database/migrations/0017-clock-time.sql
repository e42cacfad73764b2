-- The time of the last changes, beside their last number: whoever writes takes both from this row, so that the times of
-- versions (`updated`, `meta.lastUpdated`) become visible in their order too.
ALTER TABLE clock ADD updated timestamptz NOT NULL DEFAULT date_trunc('milliseconds', now());
