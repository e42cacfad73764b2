-- Each message that comes in, and each that is processed, has a row in every index of this table: two that no statement
-- reads, or few, are let go. Searches of the list by control id look at types as well, which no index answers. Of states,
-- nearly all messages are processed: those are found going backwards by seq, the waiting ones by message_waiting.
DROP INDEX message_by_control_id;
DROP INDEX message_by_state;
CREATE INDEX message_set_aside ON message (state, seq DESC) WHERE state IN ('failed', 'dead', 'refused', 'kept');
