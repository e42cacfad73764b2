-- Dates of more than a day (months, stays, treatments), by when they end. Those of a day at most that overlap some time lie
-- in `index_range_by_value` at most a day before it; what is longer may begin at any time before.
CREATE INDEX index_range_long ON index_range (param, high) INCLUDE (low, home, rkey)
  WHERE unit IS NULL AND high - low > 86400000;
