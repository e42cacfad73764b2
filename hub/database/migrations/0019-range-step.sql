-- Where in their index the rows of a range lie: `low` itself, or, of quantities, the beginning of a step of about a
-- hundredth. Values that differ by less lie by home, so that those written after each other lie together, and a load of
-- millions does not come back to each page of the index. All index rows are made anew (hub/record/index-build.ts).
TRUNCATE index_token, index_range, index_string;
DELETE FROM index_build;
DROP INDEX index_range_by_value;
ALTER TABLE index_range ADD step double precision NOT NULL;
CREATE INDEX index_range_by_value ON index_range (param, step, home, rkey DESC) INCLUDE (low, high, unit);
