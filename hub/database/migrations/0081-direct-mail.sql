-- Direct mail that was taken: whose, under which Message-ID, and the messages that it was kept as. The same content under the
-- same Message-ID is taken once.
CREATE TABLE direct_mail (
  id           uuid        PRIMARY KEY,
  received     timestamptz NOT NULL,
  participant  text        NOT NULL,
  sender       text        NOT NULL,
  message_id   text        NOT NULL,
  -- SHA-256 of what was signed.
  digest       bytea       NOT NULL,
  -- The mail as it was signed; null where it was about somebody whose record was erased.
  message      uuid,
  documents    uuid[]      NOT NULL,
  UNIQUE (participant, message_id, digest)
);
CREATE INDEX direct_mail_by_document ON direct_mail USING gin (documents);
