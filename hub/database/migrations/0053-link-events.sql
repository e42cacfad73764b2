-- A source patient that comes to another person is an event among the changes of the record: it has a number of the same
-- clock, and names the source patients that it is with now, or was with until now. What is older has no number.
ALTER TABLE link_history ADD seq bigint, ADD others uuid[];
CREATE INDEX link_history_by_seq ON link_history (seq);
